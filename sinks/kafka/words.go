package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/kafka/internal/attempt"
	"github.com/leads-etl/leads-etl/sinks/kafka/internal/txn"
)

// subject is what a request was about, for the words of its error.
type subject struct {
	// doing says what was being done, "reading the position".
	doing string
	topic string
	// right is what the request needs of the topic: DESCRIBE, READ, WRITE.
	right string
}

// explain turns the error of a request into what people need: which broker,
// topic or right is the matter, and what helps. What no repetition can mend
// comes back as *deliver.PermanentError. The cause stays in the chain, and so
// does the context's error if that was the end.
func (c *cluster) explain(ctx context.Context, err error, s subject) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*deliver.PermanentError](err); ok {
		return err
	}
	ended := ctx.Err()
	if e, ok := errors.AsType[*txn.Error](err); ok && e.Topic != "" {
		s.topic = e.Topic
	}
	if words := c.words(err, s); words != "" {
		err = &explained{words: words, err: err}
	}
	if ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	err = fmt.Errorf("%s: %w", s.doing, err)
	if ended == nil && permanent(err) {
		return &deliver.PermanentError{Err: err}
	}
	return err
}

// explained is an error in words, with its cause behind.
type explained struct {
	words string
	err   error
}

func (e *explained) Error() string { return e.words + " (" + e.err.Error() + ")" }

// Unwrap returns the cause.
func (e *explained) Unwrap() error { return e.err }

func permanent(err error) bool {
	if _, ok := errors.AsType[*txn.TooLargeError](err); ok {
		return true
	}
	if e, ok := errors.AsType[*txn.Error](err); ok {
		return e.Verdict == attempt.Permanent || e.Verdict == attempt.Fenced
	}
	verdict := attempt.Classify(err)
	return verdict == attempt.Permanent || verdict == attempt.Fenced
}

// words says what the error means here; it is empty if the error says all.
func (c *cluster) words(err error, s subject) string {
	if e, ok := errors.AsType[*txn.TooLargeError](err); ok {
		return fmt.Sprintf("the event of lead %s is too large for topic %s, %d bytes, %d as sent: "+
			"raise max.message.bytes of the topic, or message.max.bytes of the brokers", e.Key, e.Topic, e.Bytes, e.Sent)
	}
	if e, ok := errors.AsType[*txn.Error](err); ok && e.Verdict == attempt.Fenced {
		return fmt.Sprintf("another leads-etl with the same transactional id, %q, has taken over: only one can write with it at a time. Stop one of the two; "+
			"if they export different things, give each a transactional-id of its own", c.transactionalID)
	}
	if code, ok := errors.AsType[kafka.Error](err); ok {
		return c.codeWords(code, s)
	}
	return c.connectionWords(err)
}

func (c *cluster) codeWords(code kafka.Error, s subject) string {
	switch code {
	case kafka.SASLAuthenticationFailed:
		return fmt.Sprintf("the broker does not accept user %q with this password (%s)", c.cfg.SASLUsername, c.cfg.SASLMechanism)
	case kafka.UnsupportedSASLMechanism:
		return fmt.Sprintf("the broker does not offer sasl-mechanism %s", c.cfg.SASLMechanism)
	case kafka.IllegalSASLState:
		return "the broker's listener has no SASL: leave sasl-mechanism empty, or use the port that has it"
	case kafka.TopicAuthorizationFailed:
		return fmt.Sprintf("%s may not %s topic %s", c.who(), s.right, s.topic)
	case kafka.TransactionalIDAuthorizationFailed:
		return fmt.Sprintf("%s may not use the transactional id %q: it needs WRITE and DESCRIBE on it", c.who(), c.transactionalID)
	case kafka.ClusterAuthorizationFailed:
		return c.who() + " may not do this in the cluster"
	case kafka.UnknownTopicOrPartition:
		return fmt.Sprintf("topic %s does not exist any more, or %s may not DESCRIBE it", s.topic, c.who())
	case kafka.NotEnoughReplicas, kafka.NotEnoughReplicasAfterAppend:
		return fmt.Sprintf("too few brokers hold topic %s for its min.insync.replicas", s.topic)
	case kafka.GroupCoordinatorNotAvailable:
		return "the cluster cannot keep track of transactions: too few brokers for transaction.state.log.replication.factor?"
	case kafka.InvalidTimestamp:
		return fmt.Sprintf("topic %s does not take records of that time: see message.timestamp.before.max.ms and message.timestamp.after.max.ms", s.topic)
	case kafka.InvalidTransactionTimeout:
		return "the brokers' transaction.max.timeout.ms is below 10 seconds"
	default:
		return ""
	}
}

func (c *cluster) connectionWords(err error) string {
	tried := c.dials.failures()
	switch {
	case attempt.ExpectsTLS(err):
		return "the broker wants TLS: set tls = true"
	case isType[*tls.CertificateVerificationError](err):
		return "the broker's certificate is not trusted: tls-ca names the file of the authorities that are"
	case attempt.Classify(err) == attempt.Permanent && c.cfg.TLS:
		if c.cfg.TLSCert == "" {
			return "the broker refuses the TLS connection: does it want a certificate (tls-cert, tls-key)?"
		}
		return "the broker refuses the TLS connection: does it trust the certificate of tls-cert?"
	case attempt.IsNetwork(err) && len(tried) > 0:
		words := "cannot reach " + strings.Join(tried, ", ")
		if named := c.dials.advertised(c.cfg.Brokers); len(named) > 0 {
			words += fmt.Sprintf("; %s is what the brokers call themselves (advertised.listeners), and must be reachable from here", strings.Join(named, ", "))
		}
		return words
	case attempt.IsNetwork(err) && c.dials.reached():
		return strings.Join(c.cfg.Brokers, ", ") + " takes connections and closes them again: " + c.closedHint()
	}
	return ""
}

// closedHint says why a broker closes connections without a word.
func (c *cluster) closedHint() string {
	switch {
	case c.cfg.TLS && c.cfg.SASLMechanism != "":
		return "does the listener speak TLS, and does it accept this user and password?"
	case c.cfg.TLS:
		return "does the listener speak TLS, and does it want SASL?"
	case c.cfg.SASLMechanism != "":
		return "does it accept this user and password, or does it want TLS?"
	default:
		return "does the listener want SASL or TLS?"
	}
}

// who is the user as errors name it.
func (c *cluster) who() string {
	switch {
	case c.cfg.SASLUsername != "":
		return fmt.Sprintf("user %q", c.cfg.SASLUsername)
	case c.cfg.TLSCert != "":
		return "the user of the certificate in " + c.cfg.TLSCert
	default:
		return "this client, without a user name,"
	}
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
