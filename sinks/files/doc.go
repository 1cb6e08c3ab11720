// Package files keeps event rows in files under one folder, in partitions by UTC
// date: as a table whose partitions are each replaced at one stroke (Sink), and
// as the events of a stream, which are only ever added to (EventSink). It holds
// the layout of folders and names, the parts, the manifests with the positions in
// the journal, and the protocols by which all of these change together.
//
// How rows become bytes is a Format's affair: packages ndjson and parquet.
// What must not be here: anything that knows an encoding, and anything that
// knows what a row means beyond the date it is filed under.
//
// # Layout
//
//	<dir>/marketplace=EBAY_DE/date=2026-09-01/leads-<account>-00000.parquet
//	<dir>/marketplace=EBAY_DE/date=2026-09-01/events-<account>-0190c0de-00000000000000000042-00000.parquet
//	<dir>/marketplace=EBAY_DE/date=__HIVE_DEFAULT_PARTITION__/…     rows without a time
//	<dir>/_leads-etl/parquet/marketplace=EBAY_DE/account=<account>/2026-09-01.json
//	<dir>/_leads-etl/parquet/marketplace=EBAY_DE/account=<account>/events/0190c0de-00000000000000000057.json
//	<dir>/_superseded/<when>/marketplace=EBAY_DE/date=2026-09-01/….parquet.superseded
//
// Engines pass over names that begin with "_" or ".", except DuckDB, whose globs
// take them. So nothing that is not a part of the output ends in a format's
// extension either: temporary files end in ".tmp", files set aside in
// ".superseded".
//
// # A table's commit
//
//  1. The parts are written to temporary names beside the final ones and synced.
//  2. The partition's manifest, which names them, replaces the old one: a
//     temporary file, synced, renamed, the folder synced. This is the commit.
//  3. Foreign files are set aside, the parts renamed to their final names, files
//     of ours that are listed no more removed, the folder synced.
//
// What a crash leaves of step 3 the next one to touch the partition completes;
// what it leaves of step 1 is removed when a sink is next opened. A reader who
// follows the manifests takes a listed file under its final name if that has the
// listed size and hash, and else under its temporary one.
//
// # A table's files
//
// A file is ours if our journal's manifest lists it and it has the size listed.
// Files with our account's names that are not ours in this sense (they were
// written for a journal that is gone, or somebody put them there) are foreign:
// they are set aside, never deleted and never counted in. All other files are
// not looked at.
//
// # A commit of events
//
// It goes the same three steps, for all its dates at once, with a manifest of its
// own. The manifest's name says the journal, by the first digits of its id, and
// the position; the files' names say the journal, the record that the commit
// begins at, and the number of the part. So names are unique, and sort as the
// commits came about: a date's files, in the order of their names, hold its
// events in the order in which they came about. The manifest says too from which
// record to which it goes, and when it was written.
//
// Manifests with files are kept for ever: they say which events each file holds,
// and those of a journal follow one another without a hole. One without files,
// of a stretch of the journal without events, is replaced by the next.
//
// The position is that of the newest manifest. Readers who go by names see the
// files of one commit appear within a moment, but not at one instant; who needs
// that follows the manifests.
//
// # Files of events
//
// Once committed they are the consumer's, who may remove them when they are old:
// those that are missing are counted in the log and not written again, and the
// position stays. To have all events written anew, remove the folder of the
// manifests, and replay. What is there then, of our journal and not before the
// position, is set aside when the first new commit takes effect, so that no row
// is there twice.
//
// Files of another journal stay where they are, for their events cannot be had
// again: a journal that is lost is not the same stream from its beginning. A new
// journal shows the leads that there are once more, as its own events.
//
// # Reading back
//
// A Reader goes from the last row of a file to the first. Where a format can only be
// read from its beginning, it keeps what comes too early in a Spool, which all files
// that are read together share, so that memory does not grow with them.
package files
