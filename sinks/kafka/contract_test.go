package kafka

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/secret"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// TestContract holds the sink to the contract of all sinks, on a real broker.
// Steps fail in two ways: the request does not arrive, or its answer does not.
func TestContract(t *testing.T) {
	k := kafkatest.Broker(t)
	for _, answer := range []bool{false, true} {
		t.Run(fmt.Sprintf("answer=%t", answer), func(t *testing.T) {
			sinktest.Run(t, sinktest.Harness{
				Semantics: deliver.Append,
				New:       func(t *testing.T) sinktest.Destination { return destination(t, k, answer) },
			})
		})
	}
}

// destination is a topic of one partition, so that rows have one order. Where
// the broker has users, it is written by one who may do no more than the sink
// needs.
func destination(t *testing.T, k *kafkatest.Kafka, answer bool) sinktest.Destination {
	t.Helper()
	wire := new(kafkatest.Wire)
	tune := quick(wire)
	c := unique(k)
	c.Partitions = 1
	// The suite's random rows have times of the future, too.
	k.CreateTopic(t, c.Topic, 1, "message.timestamp.after.max.ms=9223372036854775807")
	k.CreateTopic(t, c.PositionsTopic, 1, "cleanup.policy=compact")
	d := sinktest.Destination{
		Open: func(t *testing.T, b deliver.Binding) (deliver.Sink, error) {
			return open(t.Context(), c, b, quiet(), tune)
		},
		Read:     func(t *testing.T, _ deliver.Partition) []schema.Row { return readRows(t, k, c.Topic) },
		FailStep: func(n int) { wire.FailFrom(n, answer, changing...) },
		Steps:    wire.Steps,
	}
	if k.Secure.SASLPlain == "" {
		return d
	}
	c.Brokers = []string{k.Secure.SASLPlain}
	c.SASLMechanism, c.SASLUsername, c.SASLPassword = ScramSHA256, kafkatest.Limited, secret.New(kafkatest.LimitedPassword)
	k.Allow(t, kmsg.ACLResourceTypeTopic, c.Topic, kadm.OpWrite)
	k.Allow(t, kmsg.ACLResourceTypeTopic, c.PositionsTopic, kadm.OpWrite, kadm.OpRead)
	k.Allow(t, kmsg.ACLResourceTypeTransactionalId, c.TransactionalID, kadm.OpWrite)
	d.Break = func(t *testing.T) { k.Deny(t, kmsg.ACLResourceTypeTopic, c.Topic, kadm.OpWrite) }
	return d
}
