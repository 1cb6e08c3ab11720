// Package monitoringtest holds the alert rules and the dashboard of deploy to the
// metrics that there are, by Prometheus' own parser and engine. It is a module of
// its own, for Prometheus has many dependencies that leads-etl has no use for, and
// holds tests only: go test ./... in this folder. The program is built from the
// sources around it.
package monitoringtest
