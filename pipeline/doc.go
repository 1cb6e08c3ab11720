// Package pipeline puts the stages together: a batch fetches a range of time
// into the journal and delivers it to every sink while it does; a replay
// delivers what is landed without asking the API for anything.
//
// The stages live below: window (arithmetic of time), journal (what was
// landed), coverage (what a batch still needs), fetch (from the API into the
// journal), flatten (from pages to rows), deliver (from the journal into sinks,
// and the contract of sinks). What must not be here: HTTP, file formats,
// brokers, flags.
package pipeline
