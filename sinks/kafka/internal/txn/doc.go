// Package txn is a Kafka producer that writes transactions, which kafka-go can
// send but does not put together: InitProducerID, AddPartitionsToTxn, record
// batches with producer id, epoch and sequence, EndTxn. Without a transactional
// id it writes the same batches plainly (acks=all, at least once).
//
// What it holds to, as Kafka demands it:
//
//   - Sequence numbers run per partition, from 0 after each Init.
//   - One request is in flight per partition; several partitions go at once.
//   - A retry sends the same bytes, so that the broker knows a batch it has.
//   - After any failure of a transaction it is aborted, and before the next one
//     the producer asks for a new epoch, as the one who held the last: so it
//     starts from a known state, and a successor that has taken the id over in
//     the meantime is not fenced by the one it has replaced.
//
// What must not be here: rows, topics' names and creation, the position, and
// words for people (the sink turns errors into those).
package txn
