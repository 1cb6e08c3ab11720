// Package readback finds the last committed record of a key in a partition, as
// a read_committed consumer would see it if nobody else had a transaction open
// there.
//
// kafka-go's Reader returns aborted records, and every read_committed consumer
// stops at the first open transaction in the partition. Here that may be
// another exporter's that died, and stopping there would hide our own last
// position until the broker gives the other's transaction up: rows would be
// written twice. So the log is read to its end, uncommitted, and each record
// judged by the marker that its producer's transaction ended with.
//
// What must not be here: what the records say.
package readback
