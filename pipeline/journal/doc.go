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
//	journal/base-<20 digits>/       what stands for the records that were pruned
//
// FORMAT.md beside this file describes the bytes. [Journal.Prune] puts a base in
// the place of the oldest segments: numbers of records do not start anew, and
// readers ask for records by number. Of a base it is known here that it is a folder
// of files with checksums, and that without it the journal is damaged.
//
// What must not be here: how pages are fetched, what their bodies mean, and
// who reads them.
package journal
