// Package journal is the append-only, durable record of what the API answered:
// every page as received, and the few events of a batch's life (begun, gap,
// ended). Everything downstream is a pure function of it.
//
// A record counts as landed when [Journal.Append] has returned nil: it is
// written and synced. Records that wait at the same time share one sync. After
// a write or sync that failed, the journal takes no more ([WriteError]); the
// next [Open] finds out what reached the disk. An end that a crash left
// incomplete is cut off then, and said; damage to anything that was confirmed
// is a [CorruptionError] and never cut, skipped or returned as data.
//
// A state folder holds
//
//	LOCK                            held while a writer lives, by flock(2)
//	journal/identity.json           whose journal this is, its id and format
//	journal/<20 digits>.journal     segments, named by their first record
//
// FORMAT.md beside this file describes the bytes. Old segments can be deleted
// whole, in order, after "first" in identity.json was raised: numbers of
// records do not start anew, and readers ask for records by number.
//
// What must not be here: how pages are fetched, what their bodies mean, and
// who reads them.
package journal
