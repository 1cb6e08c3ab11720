package txn

import (
	"fmt"

	"github.com/segmentio/kafka-go"

	"github.com/leads-etl/leads-etl/sinks/kafka/internal/attempt"
)

// Error is a request that failed for good: its verdict is Retry only if the
// producer's patience is at its end.
type Error struct {
	// Op is the request: "InitProducerID", "AddPartitionsToTxn", "Produce",
	// "EndTxn".
	Op string
	// Topic and Partition are what it was about; Topic is empty if it was about
	// the transaction.
	Topic     string
	Partition int
	Verdict   attempt.Verdict
	Err       error
}

func (e *Error) Error() string {
	if e.Topic == "" {
		return fmt.Sprintf("%s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("%s to %s/%d: %v", e.Op, e.Topic, e.Partition, e.Err)
}

// Unwrap returns the broker's or the connection's error.
func (e *Error) Unwrap() error { return e.Err }

// TooLargeError is a single record that the broker refuses for its size.
type TooLargeError struct {
	Topic string
	Key   string
	// Bytes is the record's size, Sent that of the batch it was sent in, alone,
	// after compression: what the broker measures.
	Bytes, Sent int
	Err         error
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("record with key %s is too large for topic %s: %d bytes, %d as sent: %v", e.Key, e.Topic, e.Bytes, e.Sent, e.Err)
}

// Unwrap returns the broker's error.
func (e *TooLargeError) Unwrap() error { return e.Err }

// isTooLarge reports whether the broker refused a batch for its size, so that
// parts of it may be taken. Nothing of it was appended.
func isTooLarge(code kafka.Error) bool {
	return code == kafka.MessageSizeTooLarge || code == kafka.RecordListTooLarge
}
