package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// TestTopicForEachEventType lets the sink create a topic for each type of event,
// and looks at what consumers get.
func TestTopicForEachEventType(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	c.Topic += "-{event_type}"
	c.Partitions = 4
	s := openSink(t, c, quick(new(kafkatest.Wire)))
	rows := sinktest.Leads(sinktest.Day, 0, 400)
	for i := range rows {
		rows[i].EventType = eventTypes[i%4]
	}
	mustWrite(t, s, rows, at(1))
	partitions := []int{0, 1, 2, 3}
	for i, event := range eventTypes {
		topic := strings.ReplaceAll(c.Topic, "{event_type}", string(event))
		if n := k.Partitions(t, topic); n != 4 {
			t.Errorf("topic %s has %d partitions", topic, n)
		}
		if got := k.TopicConfig(t, topic, "retention.ms"); got != "-1" {
			t.Errorf("topic %s has retention.ms %s", topic, got)
		}
		records := kafkatest.ReadCommitted(t, k.Brokers, topic)
		if len(records) != 100 {
			t.Errorf("%d records in topic %s", len(records), topic)
		}
		used := make(map[int32]bool)
		for _, r := range records {
			used[r.Partition] = true
			if want := partitionOf(r.Key, partitions); int(r.Partition) != want {
				t.Errorf("key %s is in partition %d, not %d", r.Key, r.Partition, want)
			}
			if got := header(r, "ce_type"); got != "com.ebay.sell.lead."+string(eventTypes[i]) {
				t.Errorf("ce_type %s in topic %s", got, topic)
			}
		}
		if len(used) != 4 {
			t.Errorf("topic %s: records in partitions %v only", topic, used)
		}
	}
	if got := k.TopicConfig(t, c.PositionsTopic, "cleanup.policy"); got != "compact" {
		t.Errorf("positions topic has cleanup.policy %s", got)
	}
	if n := k.Partitions(t, c.PositionsTopic); n != 1 {
		t.Errorf("positions topic has %d partitions", n)
	}
	bad := sinktest.Leads(sinktest.Day, 0, 1)
	bad[0].EventType = "deleted"
	if err := write(t.Context(), s, bad, at(2)); !isPermanent(err) {
		t.Errorf("an event of an unknown type: %v", err)
	}
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

func isPermanent(err error) bool {
	_, ok := errors.AsType[*deliver.PermanentError](err)
	return ok
}

// TestAtLeastOnce writes without transactions: rows and position arrive, and a
// failure leaves what was sent.
func TestAtLeastOnce(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	c.Delivery = AtLeastOnce
	c.Compression = "zstd"
	wire := new(kafkatest.Wire)
	s := openSink(t, c, quick(wire))
	rows := sinktest.Leads(sinktest.Day, 0, 3000)
	mustWrite(t, s, rows[:2000], at(1))
	wantPosition(t, s, at(1))
	if n := wire.Requests(int16(kmsg.InitProducerID)) + wire.Requests(int16(kmsg.EndTxn)); n != 0 {
		t.Errorf("%d requests for transactions", n)
	}
	tx, err := s.Begin(t.Context(), deliver.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Write(t.Context(), rows[2000:]); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	s = openSink(t, c, quick(wire))
	wantPosition(t, s, at(1))
	mustWrite(t, s, rows[2000:], at(2))
	wantPosition(t, s, at(2))
	times := make(map[string]int)
	for _, r := range readRows(t, k, c.Topic) {
		times[r.LeadID]++
	}
	for i := range rows {
		if n := times[rows[i].LeadID]; n == 0 || i < 2000 && n != 1 {
			t.Errorf("row %d was written %d times", i, n)
		}
	}
	// What transactions wrote, and what they did not, is read the same way.
	c.Delivery = ExactlyOnce
	wantPosition(t, openSink(t, c, quick(wire)), at(2))
}

// TestPositionsOfOutputs has outputs that share a positions topic: by another
// topic, or another seller under the same transactional id.
func TestPositionsOfOutputs(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	rows := sinktest.Leads(sinktest.Day, 0, 10)
	s := openSink(t, c, quick(new(kafkatest.Wire)))
	mustWrite(t, s, rows, at(5))

	other := c
	other.Topic = kafkatest.Unique("leads")
	s = openSink(t, other, quick(new(kafkatest.Wire)))
	wantPosition(t, s, deliver.Position{})
	mustWrite(t, s, rows, at(7))
	wantPosition(t, openSink(t, c, quick(new(kafkatest.Wire))), at(5))
	wantPosition(t, openSink(t, other, quick(new(kafkatest.Wire))), at(7))

	b := testBinding
	b.Account = "someone-else"
	foreign, err := open(t.Context(), c, b, quiet(), quick(new(kafkatest.Wire)))
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	if _, err := foreign.Position(t.Context(), deliver.Whole); !isPermanent(err) || !strings.Contains(err.Error(), testBinding.Account) {
		t.Errorf("another seller's position: %v", err)
	}
}

func TestMissingTopics(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	c.CreateTopics = false
	c.Topic += "-{event_type}"
	_, err := open(t.Context(), c, testBinding, quiet(), quick(new(kafkatest.Wire)))
	if !isPermanent(err) {
		t.Fatalf("without topics: %v", err)
	}
	for _, want := range []string{"-snapshot", "-created", "-updated", "-vanished", c.PositionsTopic, "partitions 3", "cleanup.policy=compact", "create-topics"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s: %v", want, err)
		}
	}
	c.CreateTopics, c.Replication = true, 5
	_, err = open(t.Context(), c, testBinding, quiet(), quick(new(kafkatest.Wire)))
	if k.Real && (!isPermanent(err) || !strings.Contains(err.Error(), "replication = 5")) {
		t.Errorf("more copies than brokers: %v", err)
	}
}

func TestTooLargeRow(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	c.Compression = "none"
	k.CreateTopic(t, c.Topic, 2, "max.message.bytes=20000")
	s := openSink(t, c, quick(new(kafkatest.Wire)))
	rows := sinktest.Leads(sinktest.Day, 0, 200) // together more than a batch may be
	mustWrite(t, s, rows, at(1))
	huge := sinktest.Leads(sinktest.Day, 1000, 1)
	huge[0].AdditionalInformation = schema.Some(strings.Repeat("a personal text ", 2000))
	err := write(t.Context(), s, huge, at(2))
	if !isPermanent(err) || strings.Contains(err.Error(), "personal text") {
		t.Errorf("%.300v", err)
	}
	for _, want := range []string{huge[0].LeadID, c.Topic, "max.message.bytes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s: %v", want, err)
		}
	}
	wantPosition(t, s, at(1))
	if n := len(readRows(t, k, c.Topic)); n != 200 {
		t.Errorf("%d rows, not 200", n)
	}
}

// TestUncompactedPositions says so when the positions topic would forget.
func TestUncompactedPositions(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	k.CreateTopic(t, c.PositionsTopic, 2, "cleanup.policy=delete")
	var log bytes.Buffer
	s, err := open(t.Context(), c, testBinding, slog.New(slog.NewTextHandler(&log, nil)), quick(new(kafkatest.Wire)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !strings.Contains(log.String(), "cleanup.policy") {
		t.Errorf("the log says: %s", log.String())
	}
}

func TestBrokerWithoutTransactions(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.MaxVersions(kversion.V0_10_2()))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	c := unique(&kafkatest.Kafka{Brokers: cluster.ListenAddrs()})
	_, err = open(t.Context(), c, testBinding, quiet(), quick(new(kafkatest.Wire)))
	if !isPermanent(err) || !strings.Contains(err.Error(), "at-least-once") {
		t.Errorf("%v", err)
	}
}

func TestUse(t *testing.T) {
	k, _ := kafkatest.Fake(t)
	s := openSink(t, unique(k), quick(new(kafkatest.Wire)))
	if _, err := s.Begin(t.Context(), deliver.Partition{Date: sinktest.Day}); err == nil {
		t.Error("a date's partition was taken")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(t.Context(), deliver.Whole); err == nil {
		t.Error("a closed sink began a transaction")
	}
	if _, err := s.Position(t.Context(), deliver.Whole); err == nil {
		t.Error("a closed sink gave a position")
	}
}

// TestCancelled has errors that come of a context, which are never permanent.
func TestCancelled(t *testing.T) {
	k, cluster := kafkatest.Fake(t)
	s := openSink(t, unique(k), quick(new(kafkatest.Wire)))
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, nil, true // no answer, ever
	})
	why := errors.New("told to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	err := write(ctx, s, sinktest.Leads(sinktest.Day, 0, 10), at(1))
	if isPermanent(err) || !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
}

// TestMorePartitions gives the topic more partitions while the sink is open.
func TestMorePartitions(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	c.Partitions = 1
	s := openSink(t, c, quick(new(kafkatest.Wire)))
	rows := sinktest.Leads(sinktest.Day, 0, 300)
	mustWrite(t, s, rows[:100], at(1))
	k.AddPartitions(t, c.Topic, 3)
	for next := 2; len(s.partitions[c.Topic]) < 4; next++ {
		mustWrite(t, s, nil, at(2))
		if t.Context().Err() != nil || next > 10_000 {
			t.Fatal("the sink did not learn of the partitions")
		}
	}
	mustWrite(t, s, rows[100:], at(3))
	used := make(map[int32]int)
	for _, r := range kafkatest.ReadCommitted(t, k.Brokers, c.Topic) {
		used[r.Partition]++
	}
	if len(used) != 4 || used[0] < 100 {
		t.Errorf("records by partition: %v", used)
	}
}

func TestCheck(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	tune := quick(new(kafkatest.Wire))
	say := func(findings []Finding) string {
		var lines []string
		for _, f := range findings {
			lines = append(lines, fmt.Sprintf("%t %s: %s", f.OK, f.What, f.Detail))
		}
		return strings.Join(lines, "\n")
	}
	allOK := func(f Finding) bool { return !f.OK }
	before := check(t.Context(), c, testBinding, tune)
	if slices.ContainsFunc(before, allOK) || !strings.Contains(say(before), "can be created") {
		t.Errorf("before the first export:\n%s", say(before))
	}
	if k.Partitions(t, c.Topic) != 0 {
		t.Error("a check created a topic")
	}
	s := openSink(t, c, quick(new(kafkatest.Wire)))
	tx, err := s.Begin(t.Context(), deliver.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Write(t.Context(), sinktest.Leads(sinktest.Day, 0, 10)); err != nil {
		t.Fatal(err)
	}
	if during := check(t.Context(), c, testBinding, tune); slices.ContainsFunc(during, allOK) || !strings.Contains(say(during), "none yet") {
		t.Errorf("during an export:\n%s", say(during))
	}
	// The check has not fenced the export.
	if _, err := tx.Commit(t.Context(), at(4)); err != nil {
		t.Fatal(err)
	}
	// The check does not wait for the marker of a commit; the sink does.
	wantPosition(t, s, at(4))
	if after := check(t.Context(), c, testBinding, tune); slices.ContainsFunc(after, allOK) || !strings.Contains(say(after), "record 4 of journal "+journalID) {
		t.Errorf("after an export:\n%s", say(after))
	}
	c.CreateTopics = false
	c.Topic = kafkatest.Unique("none")
	if missing := check(t.Context(), c, testBinding, tune); !slices.ContainsFunc(missing, allOK) || !strings.Contains(say(missing), "is missing") {
		t.Errorf("with a missing topic:\n%s", say(missing))
	}
	c.Brokers = []string{"127.0.0.1:1"}
	tune.openPatience = 100 * time.Millisecond
	if down := check(t.Context(), c, testBinding, tune); len(down) != 1 || down[0].OK || !strings.Contains(down[0].Detail, "127.0.0.1:1 (connection refused)") {
		t.Errorf("without a broker:\n%s", say(down))
	}
	c.Topic = "illegal topic"
	if illegal := check(t.Context(), c, testBinding, tune); len(illegal) != 1 || illegal[0].OK {
		t.Errorf("with an illegal topic:\n%s", say(illegal))
	}
}
