// Package tracing makes OpenTelemetry traces of a run: a batch, or each poll of a
// stream, is a trace; its requests, what it landed, and the commits that brought
// that to the sinks are spans of it. Traces are sent by OTLP over HTTP, if the
// standard environment variables ask for it.
//
// The other packages know nothing of it: it stands around the API's transport,
// fetch.Source, the journal and the sinks. What must not be here, nor in a span:
// queries, headers and bodies of requests, and anything of a person.
package tracing
