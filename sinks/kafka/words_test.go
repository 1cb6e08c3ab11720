package kafka

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/secret"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// secureBroker is a broker with users, certificates and rights.
func secureBroker(t *testing.T) *kafkatest.Kafka {
	k := kafkatest.Broker(t)
	if k.Secure.SASL == "" {
		k = kafkatest.Private(t)
	}
	if !k.Real {
		t.Skip("kfake words its refusals differently; in CI there is a real broker")
	}
	return k
}

func as(c *Config, mechanism, user, password string) {
	c.SASLMechanism, c.SASLUsername, c.SASLPassword = mechanism, user, secret.New(password)
}

// TestConnections connects in every way that there is to every listener.
func TestConnections(t *testing.T) {
	k := secureBroker(t)
	for name, tc := range map[string]struct {
		change func(*Config)
		// want is a part of the error; empty if the sink opens.
		want      string
		permanent bool
	}{
		"plain": {change: func(*Config) {}},
		"PLAIN": {change: func(c *Config) {
			c.Brokers = []string{k.Secure.SASLPlain}
			as(c, Plain, kafkatest.Admin, kafkatest.AdminPassword)
		}},
		"SCRAM-SHA-256 over TLS": {change: func(c *Config) {
			c.Brokers, c.TLS, c.TLSCA = []string{k.Secure.SASL}, true, k.Secure.CA
			as(c, ScramSHA256, kafkatest.Admin, kafkatest.AdminPassword)
		}},
		"SCRAM-SHA-512 over TLS": {change: func(c *Config) {
			c.Brokers, c.TLS, c.TLSCA = []string{k.Secure.SASL}, true, k.Secure.CA
			as(c, ScramSHA512, kafkatest.Admin, kafkatest.AdminPassword)
		}},
		"wrong PLAIN password": {func(c *Config) {
			c.Brokers = []string{k.Secure.SASLPlain}
			as(c, Plain, kafkatest.Admin, "hunter2")
		}, `does not accept user "admin"`, true},
		"wrong SCRAM password": {func(c *Config) {
			c.Brokers, c.TLS, c.TLSCA = []string{k.Secure.SASL}, true, k.Secure.CA
			as(c, ScramSHA256, kafkatest.Admin, "hunter2")
		}, `does not accept user "admin"`, true},
		"unknown user": {func(c *Config) {
			c.Brokers = []string{k.Secure.SASLPlain}
			as(c, ScramSHA512, "nobody", "hunter2")
		}, `does not accept user "nobody"`, true},
		"SASL where there is none":   {func(c *Config) { as(c, Plain, kafkatest.Admin, kafkatest.AdminPassword) }, "has no SASL", true},
		"no SASL where it is wanted": {func(c *Config) { c.Brokers = []string{k.Secure.SASLPlain} }, "want SASL or TLS?", false},
		"no TLS where it is wanted":  {func(c *Config) { c.Brokers = []string{k.Secure.TLS} }, "set tls = true", true},
		"TLS where there is none":    {func(c *Config) { c.TLS = true }, "does the listener speak TLS", false},
		"certificate of a stranger":  {func(c *Config) { c.Brokers, c.TLS = []string{k.Secure.TLS}, true }, "tls-ca", true},
		"no certificate where one is wanted": {func(c *Config) {
			c.Brokers, c.TLS, c.TLSCA = []string{k.Secure.TLS}, true, k.Secure.CA
		}, "does it want a certificate", true},
		"no right to anything": {func(c *Config) {
			c.Brokers, c.TLS, c.TLSCA, c.TLSCert, c.TLSKey = []string{k.Secure.TLS}, true, k.Secure.CA, k.Secure.ClientCert, k.Secure.ClientKey
		}, "may not DESCRIBE topic", true},
		"no file":       {func(c *Config) { c.TLS, c.TLSCA = true, "/none" }, "kafka.tls-ca", true},
		"no PEM":        {func(c *Config) { c.TLS, c.TLSCA = true, k.Secure.ClientKey }, "no certificate in PEM", true},
		"nobody there":  {func(c *Config) { c.Brokers = []string{"127.0.0.1:1", "127.0.0.1:2"} }, "127.0.0.1:1 (connection refused), 127.0.0.1:2 (connection refused)", false},
		"unknown hosts": {func(c *Config) { c.Brokers = []string{"kafka.invalid:9092"} }, "kafka.invalid:9092 (no such host)", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := unique(k)
			tc.change(&c)
			tune := quick(new(kafkatest.Wire))
			tune.openPatience = time.Second
			if tc.want == "" {
				tune.openPatience = 10 * time.Second
			}
			tune.dial = nil // the wire does not see into TLS
			s, err := open(t.Context(), c, testBinding, quiet(), tune)
			if s != nil {
				defer s.Close()
			}
			if tc.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				mustWrite(t, s, sinktest.Leads(sinktest.Day, 0, 10), at(1))
				wantPosition(t, s, at(1))
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || isPermanent(err) != tc.permanent {
				t.Errorf("permanent %t: %v", isPermanent(err), err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password shows: %v", err)
			}
		})
	}
}

// TestRights takes each right away that the sink needs, and reads what it says,
// and that a check finds it out beforehand.
func TestRights(t *testing.T) {
	k := secureBroker(t)
	for name, tc := range map[string]struct {
		// deny takes rights from a user who has all that are needed.
		deny func(t *testing.T, c Config)
		want []string
		// check is what a check says, and hint the end of what it says to do.
		check, hint string
	}{
		"write": {func(t *testing.T, c Config) { k.Deny(t, kmsg.ACLResourceTypeTopic, c.Topic, kadm.OpWrite) },
			[]string{`user "limited" may not WRITE topic leads-`},
			`is there, but user "limited" may not WRITE`, "--add --allow-principal User:limited --operation WRITE --topic leads-"},
		"describe": {func(t *testing.T, c Config) { k.Deny(t, kmsg.ACLResourceTypeTopic, c.Topic, kadm.OpDescribe) },
			[]string{`user "limited" may not DESCRIBE topic leads-`},
			`user "limited" may not DESCRIBE topic leads-`, "--operation CREATE --operation DESCRIBE --operation READ --operation WRITE --topic positions-"},
		"write positions": {func(t *testing.T, c Config) { k.Deny(t, kmsg.ACLResourceTypeTopic, c.PositionsTopic, kadm.OpWrite) },
			[]string{`user "limited" may not WRITE topic positions-`},
			`is there, but user "limited" may not WRITE`, "--operation WRITE --topic positions-"},
		"read positions": {func(t *testing.T, c Config) { k.Deny(t, kmsg.ACLResourceTypeTopic, c.PositionsTopic, kadm.OpRead) },
			[]string{`user "limited" may not READ topic positions-`, "reading the position"},
			`is there, but user "limited" may not READ`, "--operation READ --topic positions-"},
		"transactional id": {func(t *testing.T, c Config) {
			k.Deny(t, kmsg.ACLResourceTypeTransactionalId, c.TransactionalID, kadm.OpWrite)
		}, []string{`user "limited" may not use the transactional id "exporter-`, "WRITE and DESCRIBE"},
			`user "limited" may not use the transactional id`, "--operation DESCRIBE --operation WRITE --transactional-id exporter-"},
	} {
		t.Run(name, func(t *testing.T) {
			c := unique(k)
			for _, topic := range []string{c.Topic, c.PositionsTopic} {
				k.CreateTopic(t, topic, 1)
				k.Allow(t, kmsg.ACLResourceTypeTopic, topic, kadm.OpDescribe, kadm.OpWrite, kadm.OpRead)
			}
			k.Allow(t, kmsg.ACLResourceTypeTransactionalId, c.TransactionalID, kadm.OpDescribe, kadm.OpWrite)
			tc.deny(t, c)
			c.Brokers = []string{k.Secure.SASLPlain}
			as(&c, Plain, kafkatest.Limited, kafkatest.LimitedPassword)
			tune := quick(new(kafkatest.Wire))
			tune.patience, tune.openPatience = time.Second, 2*time.Second
			if f := check(t.Context(), c, testBinding, tune); !slices.ContainsFunc(f, func(f Finding) bool {
				return !f.OK && strings.Contains(f.Detail, tc.check) && strings.Contains(f.Hint, tc.hint)
			}) {
				t.Errorf("a check says: %+v", f)
			}
			s, err := open(t.Context(), c, testBinding, quiet(), tune)
			if err == nil {
				defer s.Close()
				_, err = s.Position(t.Context(), deliver.Whole)
			}
			if err == nil {
				err = write(t.Context(), s, sinktest.Leads(sinktest.Day, 0, 10), at(1))
			}
			if !isPermanent(err) {
				t.Fatalf("not permanent: %v", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no word of %q: %v", want, err)
				}
			}
		})
	}
	t.Run("all that are needed", func(t *testing.T) {
		c := unique(k)
		k.CreateTopic(t, c.Topic, 1)
		k.CreateTopic(t, c.PositionsTopic, 1, "cleanup.policy=compact")
		k.Allow(t, kmsg.ACLResourceTypeTopic, c.Topic, kadm.OpDescribe, kadm.OpWrite)
		k.Allow(t, kmsg.ACLResourceTypeTopic, c.PositionsTopic, kadm.OpDescribe, kadm.OpWrite, kadm.OpRead)
		k.Allow(t, kmsg.ACLResourceTypeTransactionalId, c.TransactionalID, kadm.OpDescribe, kadm.OpWrite)
		for mechanism, broker := range map[string]string{Plain: k.Secure.SASLPlain, ScramSHA256: k.Secure.SASL, ScramSHA512: k.Secure.SASL} {
			c.Brokers, c.TLS, c.TLSCA = []string{broker}, broker == k.Secure.SASL, k.Secure.CA
			as(&c, mechanism, kafkatest.Limited, kafkatest.LimitedPassword)
			for _, f := range Check(t.Context(), c, testBinding) {
				if !f.OK || strings.Contains(f.Detail, "do not say") {
					t.Errorf("%s: %+v", mechanism, f)
				}
			}
		}
	})
	t.Run("create", func(t *testing.T) {
		c := unique(k)
		c.Brokers = []string{k.Secure.SASLPlain}
		as(&c, Plain, kafkatest.Limited, kafkatest.LimitedPassword)
		_, err := open(t.Context(), c, testBinding, quiet(), quick(new(kafkatest.Wire)))
		if !isPermanent(err) || !strings.Contains(err.Error(), "may not be created") {
			t.Errorf("%v", err)
		}
		// With DESCRIBE it is CREATE that lacks.
		for _, topic := range []string{c.Topic, c.PositionsTopic} {
			k.Allow(t, kmsg.ACLResourceTypeTopic, topic, kadm.OpDescribe)
		}
		_, err = open(t.Context(), c, testBinding, quiet(), quick(new(kafkatest.Wire)))
		if !isPermanent(err) {
			t.Errorf("not permanent: %v", err)
		}
		for _, want := range []string{`user "limited" may not create topics`, c.Topic + " (partitions 3, retention.ms=-1)", c.PositionsTopic + " (partitions 1, cleanup.policy=compact"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("no word of %q: %v", want, err)
			}
		}
	})
}

// TestUnreachableAdvertised has brokers that call themselves by a name which
// means nothing here, as in containers.
func TestUnreachableAdvertised(t *testing.T) {
	d := &dialLog{last: map[string]error{"127.0.0.1:9092": nil, "kafka:29092": errors.New("no route")}}
	c := &cluster{cfg: DefaultConfig("127.0.0.1:9092"), dials: d}
	if words := c.words(kafka.RequestTimedOut, subject{}); words != "" {
		t.Errorf("a broker's answer was taken for the connection's: %s", words)
	}
	words := c.words(io.EOF, subject{})
	for _, want := range []string{"cannot reach kafka:29092 (no route)", "advertised.listeners"} {
		if !strings.Contains(words, want) {
			t.Errorf("no word of %q: %s", want, words)
		}
	}
}

// TestBrokersAnswers puts answers into words that a healthy broker does not give.
func TestBrokersAnswers(t *testing.T) {
	for key, tc := range map[kmsg.Key]struct {
		code      *kerr.Error
		want      string
		permanent bool
	}{
		kmsg.Produce:            {kerr.NotEnoughReplicas, "min.insync.replicas", false},
		kmsg.InitProducerID:     {kerr.CoordinatorNotAvailable, "transaction.state.log.replication.factor", false},
		kmsg.AddPartitionsToTxn: {kerr.UnknownTopicOrPartition, "does not exist any more", false},
		kmsg.EndTxn:             {kerr.UnsupportedVersion, "EndTxn", true},
	} {
		t.Run(key.Name(), func(t *testing.T) {
			t.Parallel()
			k, cluster := kafkatest.Fake(t)
			cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: tc.code, Count: -1})
			tune := quick(new(kafkatest.Wire))
			tune.patience, tune.openPatience = 200*time.Millisecond, 200*time.Millisecond
			s, err := open(t.Context(), unique(k), testBinding, quiet(), tune)
			if err == nil {
				defer s.Close()
				err = write(t.Context(), s, sinktest.Leads(sinktest.Day, 0, 10), at(1))
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || isPermanent(err) != tc.permanent {
				t.Errorf("permanent %t: %v", isPermanent(err), err)
			}
		})
	}
}
