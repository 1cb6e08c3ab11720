// Package base keeps what stands for the pruned part of a journal: the state of
// the world as of the first record that is left, from which all that is derived
// from a journal goes on as if the whole of it was there.
//
// A base is a folder that never changes once it is in force:
//
//	known/     the store of known leads as it was (pipeline/known)
//	rows/      the rows that somebody may still need, in a database (Pebble)
//	past.json  what the pruned records say besides: coverage and gaps, what was
//	           ever read, how many leads there are, which days were touched, when
//	           the last page was received (until, which older bases lack)
//	files.json the files and their checksums (pipeline/journal)
//
// A new base is made of the one before and the records up to where the journal is
// cut: of both databases, the files are shared by hard links, so that the work goes
// with what is new.
//
// What must not be here: when and how far to prune, sinks and their positions.
//
// # The rows
//
// Integers in keys are big-endian, in values little-endian; times are Unix
// milliseconds with the sign bit turned.
//
//	"r" time id   the latest row of each lead by its id and time, as tables hold it
//	"v" id        the same of rows that belong to no time
//	"c" id        the row in which a known lead's content is, where that is not the
//	              latest row of its id any more: of the lead with that id
//
// A value is the page that shows the row last, when the first page of the last run
// of pages with this content was received, the content hash, and the row as JSON.
package base
