// Package simulator is a stand-in for eBay's Leads API: an HTTP server with
// deterministic, invented data that answers, refuses and fails as the API's
// reference and its users' experience say. Tests, benchmarks, the demo and
// `leads-etl simulate` run against it.
//
// It is the independent truth that the export is compared with, so it shares no
// code with what it tests: it must never import package source, nor flatten.
// What it knows of a lead it tells with Truth; package oracle turns that into
// the rows which an export has to give.
//
// A world of N leads costs four bytes a lead: only the times are kept, and a
// lead's content is a function of the seed and its number. Whatever changes
// afterwards (an answer, a message, a renamed buyer, an ended listing, a late
// lead) is recorded with the version of the world that it made, so that the
// truth of any earlier version can still be told.
//
// The parts: config.go and faults.go say what is wanted; generate.go, content.go,
// words.go and oddities.go invent leads; encode.go and body.go write them as
// JSON; world.go holds what changes, by change.go and churn.go; truth.go tells how it
// is, history.go how it came to be; token.go, leads.go, answer.go and limits.go are the endpoints; inject.go
// makes them fail; books.go counts what the client did; admin.go is for tests in
// other processes.
package simulator
