package kafkatest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Unique returns a name that no other test uses, for topics and transactional
// ids, beginning with prefix.
func Unique(prefix string) string { return prefix + "-" + uuid.NewString()[:13] }

// CreateTopic creates a topic with that many partitions and configuration,
// "key=value" each, and waits until it has leaders. Records stay, however old
// they say they are.
func (k *Kafka) CreateTopic(t testing.TB, topic string, partitions int32, config ...string) {
	t.Helper()
	k.admin(t, func(ctx context.Context, admin *kadm.Client) error {
		forever := "-1"
		configs := map[string]*string{"retention.ms": &forever}
		for _, c := range config {
			key, value, _ := strings.Cut(c, "=")
			configs[key] = &value
		}
		if _, err := admin.CreateTopic(ctx, partitions, 1, configs, topic); err != nil {
			return fmt.Errorf("creating topic %s: %w", topic, err)
		}
		for {
			list, err := admin.ListTopics(ctx, topic)
			if err == nil && list[topic].Err == nil && len(list[topic].Partitions.Sorted()) == int(partitions) &&
				!slices.ContainsFunc(list[topic].Partitions.Sorted(), func(p kadm.PartitionDetail) bool { return p.Leader < 0 }) {
				return nil
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("topic %s has no leader: %w", topic, ctx.Err())
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}

// AddPartitions gives the topic n more partitions.
func (k *Kafka) AddPartitions(t testing.TB, topic string, n int) {
	t.Helper()
	k.admin(t, func(ctx context.Context, admin *kadm.Client) error {
		res, err := admin.CreatePartitions(ctx, n, topic)
		if err != nil {
			return err
		}
		return res.Error()
	})
}

// TopicConfig returns a setting of the topic.
func (k *Kafka) TopicConfig(t testing.TB, topic, key string) string {
	t.Helper()
	var value string
	k.admin(t, func(ctx context.Context, admin *kadm.Client) error {
		configs, err := admin.DescribeTopicConfigs(ctx, topic)
		if err != nil {
			return err
		}
		rc, err := configs.On(topic, nil)
		if err != nil {
			return err
		}
		for _, c := range rc.Configs {
			if c.Key == key {
				value = c.MaybeValue()
			}
		}
		return rc.Err
	})
	return value
}

// Partitions returns how many partitions the topic has, 0 if there is none.
func (k *Kafka) Partitions(t testing.TB, topic string) int {
	t.Helper()
	var n int
	k.admin(t, func(ctx context.Context, admin *kadm.Client) error {
		list, err := admin.ListTopics(ctx, topic)
		n = len(list[topic].Partitions)
		return err
	})
	return n
}

// Allow gives the user Limited operations on a resource (topic, transactional
// id, the cluster), by its name.
func (k *Kafka) Allow(t testing.TB, resource kmsg.ACLResourceType, name string, operations ...kadm.ACLOperation) {
	t.Helper()
	k.rule(t, kadm.NewACLs().Allow("User:"+Limited).AllowHosts("*"), resource, name, operations)
}

// Deny takes operations on a resource from the user Limited, whatever is
// allowed.
func (k *Kafka) Deny(t testing.TB, resource kmsg.ACLResourceType, name string, operations ...kadm.ACLOperation) {
	t.Helper()
	k.rule(t, kadm.NewACLs().Deny("User:"+Limited).DenyHosts("*"), resource, name, operations)
}

func (k *Kafka) rule(t testing.TB, b *kadm.ACLBuilder, resource kmsg.ACLResourceType, name string, operations []kadm.ACLOperation) {
	t.Helper()
	b = b.Operations(operations...).ResourcePatternType(kadm.ACLPatternLiteral)
	k.admin(t, func(ctx context.Context, admin *kadm.Client) error {
		switch resource {
		case kmsg.ACLResourceTypeTopic:
			b = b.Topics(name)
		case kmsg.ACLResourceTypeTransactionalId:
			b = b.TransactionalIDs(name)
		case kmsg.ACLResourceTypeCluster:
			b = b.Clusters()
		default:
			return fmt.Errorf("no rights on resources of type %s here", resource)
		}
		created, err := admin.CreateACLs(ctx, b)
		for _, c := range created {
			if err == nil {
				err = c.Err
			}
		}
		if err != nil {
			return err
		}
		// The broker learns of them a moment after they are made.
		for {
			found, err := admin.DescribeACLs(ctx, b)
			if err != nil {
				return err
			}
			n := 0
			for _, f := range found {
				n += len(f.Described)
			}
			if n >= len(created) {
				return nil
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("waiting for %d ACLs, %d are there: %w", len(created), n, ctx.Err())
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
}

func (k *Kafka) admin(t testing.TB, do func(context.Context, *kadm.Client) error) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Brokers...), kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	if err := do(ctx, kadm.NewClient(client)); err != nil {
		t.Fatal(err)
	}
}
