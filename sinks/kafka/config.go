package kafka

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/secret"
)

// Values of Config.Delivery.
const (
	// ExactlyOnce puts rows and position into one transaction.
	ExactlyOnce = "exactly-once"
	// AtLeastOnce is for brokers without transactions: the position follows the
	// rows, and a failure between the two repeats rows.
	AtLeastOnce = "at-least-once"
)

// Values of Config.Vanished.
const (
	// VanishedEvent makes an event of a vanished lead, as of any other.
	VanishedEvent = "event"
	// VanishedTombstone makes a record without a value of it, so that a compacted
	// topic forgets the lead.
	VanishedTombstone = "tombstone"
)

// Values of Config.SASLMechanism.
const (
	Plain       = "PLAIN"
	ScramSHA256 = "SCRAM-SHA-256"
	ScramSHA512 = "SCRAM-SHA-512"
)

var (
	deliveries = []string{ExactlyOnce, AtLeastOnce}
	vanished   = []string{VanishedEvent, VanishedTombstone}
	mechanisms = []string{Plain, ScramSHA256, ScramSHA512}

	compressionNames = []string{"none", "gzip", "snappy", "lz4", "zstd"}
	compressions     = map[string]kafka.Compression{
		"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
	}
)

// Config is the [kafka] section.
type Config struct {
	Brokers []string `name:"brokers" env:"BROKERS" placeholder:"HOST:PORT" help:"Brokers to begin with; one that answers is enough."`
	Topic   string   `name:"topic" default:"ebay-leads" env:"TOPIC" placeholder:"NAME" help:"Topic of the events; may hold {marketplace}, {account}, {event_type}."`

	Vanished string `name:"vanished" default:"event" env:"VANISHED" placeholder:"NAME" help:"What becomes of a vanished lead: an event as any other, or a tombstone, for compacted topics that hold the present state."`

	Delivery        string `name:"delivery" default:"exactly-once" env:"DELIVERY" placeholder:"NAME" help:"exactly-once, or at-least-once for brokers without transactions."`
	Compression     string `name:"compression" default:"snappy" env:"COMPRESSION" placeholder:"NAME" help:"none, gzip, snappy, lz4 or zstd."`
	TransactionalID string `name:"transactional-id" env:"TRANSACTIONAL_ID" placeholder:"ID" help:"This exporter's stable name among producers; leads-etl-ACCOUNT-MARKETPLACE if empty."`
	PositionsTopic  string `name:"positions-topic" default:"leads-etl-positions" env:"POSITIONS_TOPIC" placeholder:"NAME" help:"Compacted topic that keeps how far the export has come."`

	CreateTopics bool `name:"create-topics" default:"true" negatable:"" env:"CREATE_TOPICS" help:"Create topics that are missing."`
	Partitions   int  `name:"partitions" default:"3" env:"PARTITIONS" placeholder:"N" help:"Partitions of topics that are created; 0 leaves it to the broker."`
	Replication  int  `name:"replication" default:"0" env:"REPLICATION" placeholder:"N" help:"Copies of topics that are created; 0 leaves it to the broker."`

	TLS     bool   `name:"tls" env:"TLS" help:"Speak TLS."`
	TLSCA   string `name:"tls-ca" env:"TLS_CA" placeholder:"FILE" help:"PEM file of the authorities to trust instead of the system's."`
	TLSCert string `name:"tls-cert" env:"TLS_CERT" placeholder:"FILE" help:"PEM file of the client's certificate."`
	TLSKey  string `name:"tls-key" env:"TLS_KEY" placeholder:"FILE" help:"PEM file of the client's key."`

	SASLMechanism    string        `name:"sasl-mechanism" env:"SASL_MECHANISM" placeholder:"NAME" help:"PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; none if empty."`
	SASLUsername     string        `name:"sasl-username" env:"SASL_USERNAME" placeholder:"NAME" help:"User name for SASL."`
	SASLPassword     secret.Secret `name:"sasl-password" env:"SASL_PASSWORD" placeholder:"PASSWORD" help:"Password for SASL."`
	SASLPasswordFile string        `name:"sasl-password-file" env:"SASL_PASSWORD_FILE" placeholder:"FILE" help:"File that holds the password."`
}

// DefaultConfig returns what the tags say, for these brokers.
func DefaultConfig(brokers ...string) Config {
	return Config{
		Brokers: brokers, Topic: "ebay-leads", Vanished: VanishedEvent,
		Delivery: ExactlyOnce, Compression: "snappy", PositionsTopic: "leads-etl-positions",
		CreateTopics: true, Partitions: 3,
	}
}

func (c *Config) tombstones() bool { return c.Vanished == VanishedTombstone }

// On reports whether the sink is in use.
func (c *Config) On() bool { return len(c.Brokers) > 0 }

// Validate reports everything that is wrong with the section. It reads no file
// and asks no broker: Open and Check do.
func (c *Config) Validate(report func(key, problem string)) {
	for _, b := range c.Brokers {
		if problem := brokerProblem(b); problem != "" {
			report("brokers", fmt.Sprintf("%q %s", b, problem))
		}
	}
	oneOf := func(key, value string, values []string) {
		if !slices.Contains(values, value) {
			report(key, fmt.Sprintf("%q is none of %s", value, strings.Join(values, ", ")))
		}
	}
	if problem := patternProblem(c.Topic); problem != "" {
		report("topic", fmt.Sprintf("%q %s", c.Topic, problem))
	}
	if problem := topicProblem(c.PositionsTopic); problem != "" {
		report("positions-topic", fmt.Sprintf("%q %s", c.PositionsTopic, problem))
	} else if c.PositionsTopic == c.Topic {
		report("positions-topic", "is the topic of the events: positions need one of their own")
	}
	oneOf("vanished", c.Vanished, vanished)
	if c.tombstones() && strings.Contains(c.Topic, eventTypeHole) {
		report("vanished", fmt.Sprintf("a tombstone must be in the topic of the lead's other events: take %s out of topic %q", eventTypeHole, c.Topic))
	}
	oneOf("delivery", c.Delivery, deliveries)
	oneOf("compression", c.Compression, compressionNames)
	if c.Partitions < 0 {
		report("partitions", fmt.Sprintf("%d is negative", c.Partitions))
	}
	if c.Replication < 0 || c.Replication > 1<<15-1 {
		report("replication", fmt.Sprintf("%d is no number of copies", c.Replication))
	}
	c.validateTLS(report)
	if c.SASLMechanism != "" {
		oneOf("sasl-mechanism", c.SASLMechanism, mechanisms)
	}
	c.validateSASL(report)
}

func (c *Config) validateTLS(report func(key, problem string)) {
	if !c.TLS {
		for key, value := range map[string]string{"tls-ca": c.TLSCA, "tls-cert": c.TLSCert, "tls-key": c.TLSKey} {
			if value != "" {
				report(key, "is of no use without tls = true")
			}
		}
	}
	switch {
	case c.TLSCert != "" && c.TLSKey == "":
		report("tls-key", "missing: tls-cert needs its key")
	case c.TLSKey != "" && c.TLSCert == "":
		report("tls-cert", "missing: tls-key is the key of what?")
	}
}

func (c *Config) validateSASL(report func(key, problem string)) {
	password := !c.SASLPassword.IsZero()
	if c.SASLMechanism == "" {
		if c.SASLUsername != "" || password || c.SASLPasswordFile != "" {
			report("sasl-mechanism", "missing: a user name or password is set, but not how to show it")
		}
		return
	}
	if c.SASLUsername == "" {
		report("sasl-username", "missing: "+c.SASLMechanism+" needs one")
	}
	switch {
	case password && c.SASLPasswordFile != "":
		report("sasl-password-file", "contradicts sasl-password: give one of them")
	case !password && c.SASLPasswordFile == "":
		report("sasl-password", "missing: "+c.SASLMechanism+" needs one, in the environment or in sasl-password-file")
	}
}

func brokerProblem(broker string) string {
	host, port, err := net.SplitHostPort(broker)
	if err != nil {
		return "is not HOST:PORT (Kafka's usual port is 9092)"
	}
	if n, err := strconv.Atoi(port); host == "" || err != nil || n < 1 || n > 65535 {
		return "is not HOST:PORT"
	}
	return ""
}

// transactionalID is the exporter's name among producers.
func (c *Config) transactionalID(b deliver.Binding) string {
	if c.TransactionalID != "" {
		return c.TransactionalID
	}
	return "leads-etl-" + b.Account + "-" + b.Marketplace
}
