package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
)

const (
	partitions      = 3
	positionsSuffix = "-positions"
	// recordsKept is how many of the records that leads-etl wrote the other
	// producers send, again and again.
	recordsKept = 50_000
)

// broker is a real Kafka on this machine, with what the producers send.
type broker struct {
	addresses []string
	end       func() error
	admin     *kadm.Client
	client    *kgo.Client
	// records and payloads are files: the same records whole, and their values as
	// lines.
	records, payloads string
}

func startBroker(ctx context.Context, dir string) (*broker, error) {
	kafka, end, err := kafkatest.Run(ctx)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.Brokers...))
	if err != nil {
		return nil, fmt.Errorf("connecting to Kafka: %w", err)
	}
	return &broker{
		addresses: kafka.Brokers, end: end, client: client, admin: kadm.NewClient(client),
		records: filepath.Join(dir, "records"), payloads: filepath.Join(dir, "payloads"),
	}, nil
}

func (b *broker) stop() error {
	b.client.Close()
	return b.end()
}

func (b *broker) seeds() string { return strings.Join(b.addresses, ",") }

// create makes a topic as leads-etl makes them.
func (b *broker) create(ctx context.Context, topic string) error {
	forever := "-1"
	if _, err := b.admin.CreateTopic(ctx, partitions, 1, map[string]*string{"retention.ms": &forever}, topic); err != nil {
		return fmt.Errorf("creating topic %s: %w", topic, err)
	}
	return nil
}

// remove gives the disk of a topic back. Whether it had positions does not matter.
func (b *broker) remove(ctx context.Context, topic string) error {
	if _, err := b.admin.DeleteTopics(ctx, topic, topic+positionsSuffix); err != nil {
		return fmt.Errorf("removing topic %s: %w", topic, err)
	}
	return nil
}

// count reads the topic as a read_committed consumer.
func (b *broker) count(ctx context.Context, topic string) (facts, error) {
	cmd, err := self(ctx, "count", "-brokers", b.seeds(), "-topic", topic)
	if err != nil {
		return nil, err
	}
	var f facts
	return f, told(cmd, &f)
}

// plain is the bare producer of kafka-go.
func (b *broker) plain(ctx context.Context, topic string, n int) (*exec.Cmd, error) {
	return self(ctx, "produce", "-brokers", b.seeds(), "-topic", topic, "-records", b.records, "-n", strconv.Itoa(n))
}

// java is Kafka's own tool, with batches as large as ours.
func (b *broker) java(ctx context.Context, topic string, n int) (*exec.Cmd, error) {
	return kafkatest.Tool(ctx, "org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", strconv.Itoa(n),
		"--throughput", "-1", "--payload-file", b.payloads, "--bootstrap-server", b.seeds(), "--command-property",
		"acks=all", "compression.type=snappy", "batch.size=500000", "linger.ms=10", "buffer.memory=67108864")
}
