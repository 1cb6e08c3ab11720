package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/secret"
	"github.com/leads-etl/leads-etl/sinks/kafka/internal/attempt"
)

// tuning is what tests set differently. The zero value is what users get.
type tuning struct {
	dial           func(context.Context, string, string) (net.Conn, error)
	metadataTTL    time.Duration
	openPatience   time.Duration
	patience       time.Duration
	requestTimeout time.Duration
}

func (t *tuning) setDefaults() {
	if t.dial == nil {
		t.dial = new(net.Dialer).DialContext
	}
	for d, value := range map[*time.Duration]time.Duration{
		// The transport asks for metadata by itself, after half of this on
		// average, and only so learns that a leader has moved. It is also how
		// long the answer may take.
		&t.metadataTTL:    2 * time.Second,
		&t.openPatience:   30 * time.Second,
		&t.patience:       90 * time.Second,
		&t.requestTimeout: 30 * time.Second,
	} {
		if *d == 0 {
			*d = value
		}
	}
}

// cluster is the connection to the brokers, with what is needed to say in words
// what is wrong with it.
type cluster struct {
	cfg       Config
	tuning    tuning
	client    *kafka.Client
	transport *kafka.Transport
	dials     *dialLog
	logger    *slog.Logger
	// transactionalID is empty if transactions are not used.
	transactionalID string
}

// connect prepares the connection, for these topics; no broker is asked yet.
func connect(cfg Config, transactionalID string, topics []string, logger *slog.Logger, t tuning) (*cluster, error) {
	t.setDefaults()
	tlsConfig, err := cfg.tlsConfig()
	if err != nil {
		return nil, &deliver.PermanentError{Err: err}
	}
	mechanism, err := cfg.mechanism()
	if err != nil {
		return nil, &deliver.PermanentError{Err: err}
	}
	dials := &dialLog{dial: t.dial, last: make(map[string]error)}
	transport := &kafka.Transport{
		Dial:        dials.Dial,
		DialTimeout: 10 * time.Second,
		// Longer than a stream sleeps between two polls, shorter than brokers
		// bear idle connections (10 minutes by default).
		IdleTimeout:    5 * time.Minute,
		MetadataTTL:    t.metadataTTL,
		MetadataTopics: topics,
		ClientID:       "leads-etl",
		TLS:            tlsConfig,
		SASL:           mechanism,
	}
	return &cluster{
		cfg: cfg, tuning: t, transport: transport, dials: dials, logger: logger, transactionalID: transactionalID,
		client: &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: transport, Timeout: t.requestTimeout},
	}, nil
}

// close ends all connections. Requests must have ended: one that comes later
// would open them again.
func (c *cluster) close() { c.transport.CloseIdleConnections() }

// opening is the patience for what is asked before the first row of a
// transaction.
func (c *cluster) opening() attempt.Policy {
	return attempt.Policy{Patience: c.tuning.openPatience, Logger: c.logger}
}

// TLSConfig is how the brokers are spoken to; nil without TLS. It reads the files
// that the section names.
func (c *Config) TLSConfig() (*tls.Config, error) { return c.tlsConfig() }

func (c *Config) tlsConfig() (*tls.Config, error) {
	if !c.TLS {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLSCA != "" {
		pem, err := os.ReadFile(c.TLSCA)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls-ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("kafka.tls-ca: %s holds no certificate in PEM", c.TLSCA)
		}
	}
	if c.TLSCert != "" {
		cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls-cert, kafka.tls-key: %w", err)
		}
		t.Certificates = []tls.Certificate{cert}
	}
	return t, nil
}

func (c *Config) mechanism() (sasl.Mechanism, error) {
	if c.SASLMechanism == "" {
		return nil, nil
	}
	password, err := secret.Resolve(c.SASLPassword, c.SASLPasswordFile)
	if err != nil {
		return nil, fmt.Errorf("kafka.sasl-password-file: %w", err)
	}
	algorithm := scram.SHA256
	switch c.SASLMechanism {
	case Plain:
		return plain.Mechanism{Username: c.SASLUsername, Password: password.Reveal()}, nil
	case ScramSHA512:
		algorithm = scram.SHA512
	}
	m, err := scram.Mechanism(algorithm, c.SASLUsername, password.Reveal())
	if err != nil {
		// Its error may show what was prepared.
		return nil, errors.New("kafka.sasl-username, kafka.sasl-password: they hold characters that SCRAM does not allow")
	}
	return m, nil
}
