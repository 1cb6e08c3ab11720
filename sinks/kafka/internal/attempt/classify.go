package attempt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Verdict says what can be done about an error of a request.
type Verdict uint8

const (
	// Permanent means that repeating cannot help (a right, a setting, a credential).
	Permanent Verdict = iota
	// Retry means that the same request, same bytes, may succeed.
	Retry
	// StartOver means that the transaction is lost: Init, read the position, write again.
	StartOver
	// Fenced means that another producer has taken the transactional id over.
	Fenced
)

// Error codes that kafka-go has no names for, or wrong ones.
const (
	// OperationNotAttempted is the answer for those whose neighbours failed.
	OperationNotAttempted kafka.Error = 55
	transactionAbortable  kafka.Error = 120
	rebootstrapRequired   kafka.Error = 129
)

// Classify is the one place that says which error means what. The codes are
// judged as franz-go and the Java producer do, with two differences measured on
// brokers: ConcurrentTransactions and BrokerNotAvailable are retried, though
// kafka.Error.Temporary says no.
func Classify(err error) Verdict {
	if code, ok := errors.AsType[kafka.Error](err); ok {
		return classifyCode(code)
	}
	switch {
	case isTLSFailure(err):
		return Permanent
	case errors.Is(err, protocol.ErrNoTopic), errors.Is(err, protocol.ErrNoPartition), errors.Is(err, protocol.ErrNoLeader):
		// The client's metadata do not have it (yet): a leader moves, or the
		// broker is starting.
		return Retry
	case IsNetwork(err), errors.Is(err, context.DeadlineExceeded):
		// A deadline here is that of one attempt: the caller has asked its own
		// context first.
		return Retry
	}
	if _, ok := errors.AsType[protocol.Error](err); ok {
		// A garbled answer, such as another request's. The connection is gone
		// with it.
		return Retry
	}
	return Permanent
}

func classifyCode(code kafka.Error) Verdict {
	switch code {
	case
		// The partition has, or will have, another leader, or this broker does
		// not know of it yet. (UnknownTopicOrPartition may also be a refusal in
		// disguise: that shows when patience ends.)
		kafka.UnknownTopicOrPartition, kafka.LeaderNotAvailable, kafka.NotLeaderForPartition,
		kafka.BrokerNotAvailable, kafka.ReplicaNotAvailable, kafka.KafkaStorageError, kafka.ListenerNotFound,
		kafka.FencedLeaderEpoch, kafka.UnknownLeaderEpoch, kafka.OffsetNotAvailable, kafka.UnknownTopicID,
		rebootstrapRequired,
		// The coordinator moved, loads, or its internal topic is being made.
		kafka.GroupLoadInProgress, kafka.GroupCoordinatorNotAvailable, kafka.NotCoordinatorForGroup,
		kafka.TransactionCoordinatorFenced, kafka.NotController,
		// The last transaction's markers are still being written.
		kafka.ConcurrentTransactions,
		// The outcome is open or the batch was not taken: the same bytes again
		// settle it. InvalidMessage is a checksum that broke on the way.
		kafka.InvalidMessage, kafka.RequestTimedOut, kafka.NetworkException, kafka.NotEnoughReplicas,
		kafka.NotEnoughReplicasAfterAppend, kafka.ThrottlingQuotaExceeded:
		return Retry
	case
		// The broker's idea of this producer and ours have parted. Going on
		// with the old epoch and sequences would let it drop batches as
		// duplicates: a committed transaction without its data.
		kafka.OutOfOrderSequenceNumber, kafka.DuplicateSequenceNumber, kafka.UnknownProducerId,
		// The transaction was ended without us (its time was up), or the id was
		// forgotten after a week of silence.
		kafka.InvalidTransactionState, kafka.InvalidProducerIDMapping, kafka.TransactionalIDNotFound,
		transactionAbortable,
		// Another partition's error, or one that says nothing.
		OperationNotAttempted, kafka.Unknown:
		return StartOver
	case kafka.InvalidProducerEpoch, kafka.ProducerFenced:
		return Fenced
	default:
		return Permanent
	}
}

// IsNetwork reports whether the error is the connection's, not the broker's
// answer: not reached, refused, reset, closed, timed out.
func IsNetwork(err error) bool {
	if _, ok := errors.AsType[kafka.Error](err); ok {
		return false // has the methods of a net.Error, and is none
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, target := range []error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// ExpectsTLS reports whether the broker answered a client without TLS by a TLS
// alert. kafka-go sees that, and says it in words only.
func ExpectsTLS(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) && strings.Contains(err.Error(), "expecting TLS")
}

// isTLSFailure reports whether the two sides do not agree on TLS or on each
// other's certificates. Some of these are net.Errors too, but no repetition
// mends them.
func isTLSFailure(err error) bool {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	// The other side's alert has a type that crypto/tls keeps to itself.
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return true
	}
	if ExpectsTLS(err) {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	return ok
}
