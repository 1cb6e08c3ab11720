// Package kafka is the sink that appends event rows to a Kafka topic, each row
// once: rows and the position in the journal go into one transaction. With
// delivery "at-least-once" it does without transactions, and a failure may
// repeat rows.
//
// The position is a record in a compacted topic of one partition, its key the
// transactional id and the topic's name: another topic is another output, and
// begins at the journal's begin.
//
// What must not be here: the broker's protocol of transactions (internal/txn)
// and of reading back (internal/readback), and brokers for tests (kafkatest) or
// for the demo (embedded).
package kafka
