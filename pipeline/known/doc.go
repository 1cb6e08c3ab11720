// Package known knows which leads there are and what each landed page changed
// about them: it works out created, updated and vanished leads as a pure function
// of the journal, and keeps the outcome in an embedded database (Pebble), whose
// memory does not grow with the number of leads. The database can be deleted at
// any time: it is derived from the journal again, with the same versions and
// event ids.
//
// Where the journal was pruned, it is derived from the store as it was then, which
// the journal's base holds: of pages that are pruned there are no events any more,
// and all else is the same.
//
// What must not be here: the contents of leads (events say where in the journal
// these are), sinks and their positions, the API, the time of day.
//
// # What makes an event
//
// A page shows leads of its window. One that is not known is created; one whose
// content hash is another than what is known is updated, as is one that had
// vanished; one that is known and missing from a page that is complete, whole
// (not short, without dead letters that were not there before, its totals reconciled), not filtered by
// status, and of a stream, has vanished. When a lead that is shown without a readable time, or at another than was
// asked for, must have been created, follows from the pages that show it and those that do not (whereabouts.go). Pages of batches make snapshots of what
// is new or changed, and let nothing vanish. A lead whose buyer was renamed stays
// the same (matcher). An answer without messages is not compared with what is
// known with them.
//
// # The database
//
// Integers in keys are big-endian, in values little-endian. Seconds are Unix
// times with the sign bit turned, so that the order of keys is that of time.
//
//	"ai"                               journal, format, columns: else it is made anew
//	"ap"                               position and counts
//	"s" batch                          the batch is a stream
//	"l" second item text id            a lead: its group (second and digests of item_id
//	                                   and additional_information) and its id
//	"u" second item text id            a lead that was ever shown without a time or at
//	                                   another than was asked for
//	"e" page second class place        an event, by slice of the page, then rows, then
//	                                   vanished leads
//	"d" digest                         a dead letter that was landed
//
// So the leads of a window are one range, and taking in a page is one pass over
// its rows and that range. A lead's value holds flags, version, the page and the
// row that show it last, half of its content hash, and a digest of each column, from which
// changed_fields comes; some 150 bytes. Behind "u" there are also the last page that shows the
// lead, and the stretches of time in which it can have been created. A page's changes, its events and the
// position are written in one batch, which is not synced: what a crash takes is
// derived again.
package known
