// Package pipeline puts the stages together: a batch fetches a closed range of
// time into the journal and delivers it to every sink while it does; a stream
// polls on, lands what is not known yet, and delivers what has changed; a replay
// delivers what is landed without asking the API for anything.
//
// The stages live below: window (arithmetic of time), schedule (which leads are
// read again how often), journal (what was landed), coverage (what a run still
// needs), fetch (from the API into the journal), flatten (from pages to rows),
// known (which leads are known, and what each page changed), base (what stands for
// the pruned part of a journal), deliver (from the
// journal into sinks, and the contract of sinks). What must not be here: HTTP,
// file formats, brokers, flags.
package pipeline
