// Package files keeps event rows in files under one folder, as a table of
// partitions by UTC date that are each replaced at one stroke: the layout of
// folders and names, the parts of a partition, its manifest with the position
// in the journal, and the protocol by which all of these change together.
//
// How rows become bytes is a Format's affair: packages ndjson and parquet.
// What must not be here: anything that knows an encoding, and anything that
// knows what a row means beyond the date it is filed under.
//
// # Layout
//
//	<dir>/marketplace=EBAY_DE/date=2026-09-01/leads-<account>-00000.parquet
//	<dir>/marketplace=EBAY_DE/date=__HIVE_DEFAULT_PARTITION__/…     rows without a time
//	<dir>/_leads-etl/parquet/marketplace=EBAY_DE/account=<account>/2026-09-01.json
//	<dir>/_superseded/<when>/marketplace=EBAY_DE/date=2026-09-01/….parquet.superseded
//
// Engines pass over names that begin with "_" or ".", except DuckDB, whose globs
// take them. So nothing that is not a part of the table ends in a format's
// extension either: temporary files end in ".tmp", files set aside in
// ".superseded".
//
// # Commit
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
// # Whose files
//
// A file is ours if our journal's manifest lists it and it has the size listed.
// Files with our account's names that are not ours in this sense (they were
// written for a journal that is gone, or somebody put them there) are foreign:
// they are set aside, never deleted and never counted in. All other files are
// not looked at.
package files
