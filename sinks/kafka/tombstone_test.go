package kafka

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// onEachBroker runs the test on kfake, and on the broker that there is.
func onEachBroker(t *testing.T, test func(t *testing.T, k *kafkatest.Kafka)) {
	t.Run("kfake", func(t *testing.T) {
		k, _ := kafkatest.Fake(t)
		test(t, k)
	})
	t.Run("broker", func(t *testing.T) { test(t, kafkatest.Broker(t)) })
}

// TestTombstones writes vanished leads among others, for a topic that keeps the
// state of each lead.
func TestTombstones(t *testing.T) {
	onEachBroker(t, func(t *testing.T, k *kafkatest.Kafka) {
		for _, compression := range []string{"none", "zstd"} {
			c := unique(k)
			c.Vanished, c.Compression = VanishedTombstone, compression
			s := openSink(t, c, quick(new(kafkatest.Wire)))
			if got := k.TopicConfig(t, c.Topic, "cleanup.policy"); got != "compact" {
				t.Errorf("topic %s has cleanup.policy %s", c.Topic, got)
			}
			rows := sinktest.Leads(sinktest.Day, 0, 400)
			mustWrite(t, s, rows, at(1))
			again := slices.Clone(rows)
			for i := range again {
				again[i].EventType = []schema.EventType{schema.Updated, schema.Vanished}[i%2]
			}
			mustWrite(t, s, again, at(2))

			left := make(map[string][]byte) // what a consumer makes of it
			partitions := make(map[string]int32)
			for _, r := range kafkatest.ReadCommitted(t, k.Brokers, c.Topic) {
				if p, ok := partitions[string(r.Key)]; ok && p != r.Partition {
					t.Errorf("lead %s is in partitions %d and %d", r.Key, p, r.Partition)
				}
				partitions[string(r.Key)] = r.Partition
				left[string(r.Key)] = r.Value
				if gone := header(r, "ce_type") == "com.ebay.sell.lead.vanished"; gone != (r.Value == nil) {
					t.Errorf("lead %s, %s: value %.80s", r.Key, header(r, "ce_type"), r.Value)
				}
				if header(r, "ce_subject") != string(r.Key) {
					t.Errorf("lead %s has subject %s", r.Key, header(r, "ce_subject"))
				}
			}
			for i := range again {
				if gone := left[again[i].LeadID] == nil; gone != (again[i].EventType == schema.Vanished) {
					t.Errorf("lead %d is gone: %t, after %s", i, gone, again[i].EventType)
				}
			}
			if len(left) != 400 {
				t.Errorf("%d leads, not 400", len(left))
			}
			wantPosition(t, s, at(2))
		}
	})
}

// TestTombstonesInATopicThatKeepsAll says so, and works all the same.
func TestTombstonesInATopicThatKeepsAll(t *testing.T) {
	onEachBroker(t, func(t *testing.T, k *kafkatest.Kafka) {
		c := unique(k)
		k.CreateTopic(t, c.Topic, 1, "cleanup.policy=delete")
		for _, c.Vanished = range vanished {
			findings := check(t.Context(), c, testBinding, quick(new(kafkatest.Wire)))
			i := slices.IndexFunc(findings, func(f Finding) bool { return f.What == "topic "+c.Topic })
			if i < 0 || !findings[i].OK || strings.Contains(findings[i].Detail, "cleanup.policy=delete: it needs compact") != c.tombstones() {
				t.Errorf("vanished %s: %+v", c.Vanished, findings)
			}
			var log bytes.Buffer
			s, err := open(t.Context(), c, testBinding, slog.New(slog.NewTextHandler(&log, nil)), quick(new(kafkatest.Wire)))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if strings.Contains(log.String(), "cleanup.policy=delete") != c.tombstones() {
				t.Errorf("vanished %s: the log says %s", c.Vanished, log.String())
			}
		}
	})
}
