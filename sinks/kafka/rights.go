package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/leads-etl/leads-etl/pipeline/secret"
)

// rights are what this user may do with topics, as the brokers say. A topic that
// is missing here is one of which they do not say it: before Kafka 2.3 none do.
type rights map[string][]kadm.ACLOperation

// rights asks the brokers. kafka-go has the request, but its transport answers it
// from memory, without the rights; so it is franz-go that asks.
func (c *cluster) rights(ctx context.Context, topics []string) (rights, error) {
	ctx, cancel := context.WithTimeout(ctx, c.tuning.openPatience)
	defer cancel()
	options, err := c.franzOptions()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	metadata, err := kadm.NewClient(client).Metadata(kadm.WithAuthorizedOps(ctx), topics...)
	if err != nil {
		return nil, c.explain(ctx, err, subject{doing: "asking the brokers for the rights to the topics", right: "DESCRIBE"})
	}
	r := make(rights)
	for name, topic := range metadata.Topics {
		// Who is told of a topic may describe it: none at all is no answer.
		if topic.Err == nil && len(topic.AuthorizedOperations) > 0 {
			r[name] = topic.AuthorizedOperations
		}
	}
	return r, nil
}

// franzOptions is the connection of connect, for franz-go.
func (c *cluster) franzOptions() ([]kgo.Opt, error) {
	options := []kgo.Opt{kgo.SeedBrokers(c.cfg.Brokers...), kgo.ClientID("leads-etl")}
	t, err := c.cfg.tlsConfig()
	if err != nil {
		return nil, err
	}
	if t != nil {
		options = append(options, kgo.DialTLSConfig(t))
	}
	if c.cfg.SASLMechanism == "" {
		return options, nil
	}
	password, err := secret.Resolve(c.cfg.SASLPassword, c.cfg.SASLPasswordFile)
	if err != nil {
		return nil, fmt.Errorf("kafka.sasl-password-file: %w", err)
	}
	var mechanism sasl.Mechanism
	switch c.cfg.SASLMechanism {
	case Plain:
		mechanism = plain.Auth{User: c.cfg.SASLUsername, Pass: password.Reveal()}.AsMechanism()
	case ScramSHA512:
		mechanism = scram.Auth{User: c.cfg.SASLUsername, Pass: password.Reveal()}.AsSha512Mechanism()
	default:
		mechanism = scram.Auth{User: c.cfg.SASLUsername, Pass: password.Reveal()}.AsSha256Mechanism()
	}
	return append(options, kgo.SASL(mechanism)), nil
}

// needed are the rights that the sink needs to a topic that is there.
func (c *cluster) needed(topic string) []kadm.ACLOperation {
	if topic == c.cfg.PositionsTopic {
		return []kadm.ACLOperation{kadm.OpDescribe, kadm.OpRead, kadm.OpWrite}
	}
	return []kadm.ACLOperation{kadm.OpDescribe, kadm.OpWrite}
}

// lacking says in words which rights to the topic this user lacks, and what gives
// them. Both are empty if it lacks none, or if nobody says.
func (c *cluster) lacking(topic string, r rights) (problem, hint string) {
	has, ok := r[topic]
	if !ok {
		return "", ""
	}
	var names []string
	for _, op := range c.needed(topic) {
		if !slices.Contains(has, op) {
			names = append(names, op.String())
		}
	}
	if len(names) == 0 {
		return "", ""
	}
	return fmt.Sprintf("is there, but %s may not %s", c.who(), strings.Join(names, " or ")),
		"give it the right: " + c.grant("--topic "+quote(topic), names)
}

// transactionsHint is the hint for a transactional id that may not be used.
func (c *cluster) transactionsHint() string {
	return "give it the right: " + c.grant("--transactional-id "+quote(c.transactionalID), []string{"DESCRIBE", "WRITE"}) +
		"; or set [kafka] delivery = \"at-least-once\""
}

// topicsHint is the hint where topics may not even be described.
func (c *cluster) topicsHint(list []string) string {
	commands := make([]string, 0, len(list))
	for _, topic := range list {
		names := []string{"CREATE"}
		for _, op := range c.needed(topic) {
			names = append(names, op.String())
		}
		commands = append(commands, c.grant("--topic "+quote(topic), names))
	}
	return "give it the rights (CREATE for topics that are not there): " + strings.Join(commands, " && ")
}

// grant is the command that gives this user rights to a resource.
func (c *cluster) grant(resource string, operations []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "kafka-acls.sh --bootstrap-server %s --add --allow-principal %s", c.cfg.Brokers[0], quote(c.principal()))
	for _, op := range operations {
		b.WriteString(" --operation " + op)
	}
	return b.String() + " " + resource
}

// principal is the user as brokers name it, if no rule of theirs maps it to
// something else.
func (c *cluster) principal() string {
	switch {
	case c.cfg.SASLUsername != "":
		return "User:" + c.cfg.SASLUsername
	case c.cfg.TLSCert != "":
		pair, err := tls.LoadX509KeyPair(c.cfg.TLSCert, c.cfg.TLSKey)
		if err != nil {
			return "User:SUBJECT OF THE CERTIFICATE"
		}
		cert, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			return "User:SUBJECT OF THE CERTIFICATE"
		}
		return "User:" + cert.Subject.String()
	default:
		return "User:ANONYMOUS"
	}
}

// quote is a word as a shell takes it.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:/@%+", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// nobody is a producer that no coordinator has ever given out.
const nobody = -1

// mayUse asks whether this user may write with the transactional id: it asks to
// end the transaction of a producer that there is none of. Brokers look at the
// right first, and then refuse; neither a transaction nor a producer that uses the
// id is touched.
func (c *cluster) mayUse(ctx context.Context) error {
	return c.opening().Do(ctx, "EndTxn", func(ctx context.Context) error {
		res, err := c.client.EndTxn(ctx, &kafka.EndTxnRequest{TransactionalID: c.transactionalID, ProducerID: nobody, ProducerEpoch: nobody})
		if err != nil {
			return err
		}
		for _, refusal := range []error{kafka.InvalidProducerIDMapping, kafka.InvalidProducerEpoch, kafka.InvalidTransactionState, kafka.ConcurrentTransactions} {
			if errors.Is(res.Error, refusal) {
				return nil
			}
		}
		return res.Error
	})
}
