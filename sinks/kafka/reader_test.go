package kafka

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// TestReader reads back what is committed, in several stretches, past transactions
// that were aborted, and changes nothing at the brokers.
func TestReader(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	rows := sinktest.Leads(sinktest.Day, 0, 12_000)
	for i := range rows { // as pages come: the later, the later
		rows[i].ExtractedAt = rows[0].ExtractedAt.Add(time.Duration(i) * time.Millisecond)
	}
	s := openSink(t, c, quick(new(kafkatest.Wire)))
	abort := func(rows []schema.Row) {
		tx, err := s.Begin(t.Context(), deliver.Whole)
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Write(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 6 {
		mustWrite(t, s, rows[i*1500:(i+1)*1500], at(1))
		abort(rows[9000+i*500 : 9000+(i+1)*500])
	}
	// Another seller's, in the same topic, is not ours to show.
	foreign, other := c, testBinding
	foreign.TransactionalID = kafkatest.Unique("exporter")
	other.Account = "someone-else"
	f, err := open(t.Context(), foreign, other, quiet(), quick(new(kafkatest.Wire)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	theirs := sinktest.Leads(sinktest.Day, 20_000, 10)
	for i := range theirs {
		theirs[i].Account = other.Account
	}
	mustWrite(t, f, theirs, at(1))

	want := make(map[string]schema.Row)
	for _, row := range readRows(t, k, c.Topic) {
		if row.Account == testBinding.Account {
			want[row.EventID] = row
		}
	}
	if len(want) != 9000 {
		t.Fatalf("%d rows are committed", len(want))
	}
	wire := new(kafkatest.Wire)
	r, err := newReader(t.Context(), c, testBinding, quiet(), quick(wire))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := make(map[string]schema.Row)
	var last schema.Row
	for row, err := range r.Rows(t.Context(), window.Window{}) {
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > 0 && row.ExtractedAt.After(last.ExtractedAt) {
			t.Fatalf("a row of %s follows one of %s", row.ExtractedAt, last.ExtractedAt)
		}
		if _, twice := got[row.EventID]; twice {
			t.Fatalf("event %s is there twice", row.EventID)
		}
		got[row.EventID], last = row, row
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	for _, key := range append(changing, int16(kmsg.JoinGroup), int16(kmsg.OffsetCommit), int16(kmsg.CreateTopics)) {
		if n := wire.Requests(key); n != 0 {
			t.Errorf("%d requests with key %d", n, key)
		}
	}
}

// TestReaderShowsTombstones gets of a vanished lead what its headers say.
func TestReaderShowsTombstones(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	c.Vanished = VanishedTombstone
	rows := sinktest.Leads(sinktest.Day, 0, 2)
	rows[1].EventType = schema.Vanished
	mustWrite(t, openSink(t, c, quick(new(kafkatest.Wire))), rows, at(1))
	if n := len(kafkatest.ReadCommitted(t, k.Brokers, c.Topic)); n != 2 { // it waits for the commit's markers
		t.Fatalf("%d records", n)
	}
	r, err := newReader(t.Context(), c, testBinding, quiet(), quick(new(kafkatest.Wire)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for row, err := range r.Rows(t.Context(), window.Window{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if row.EventType == schema.Vanished && (row.EventID != rows[1].EventID || row.LeadID != rows[1].LeadID || !row.ExtractedAt.Equal(rows[1].ExtractedAt)) {
			t.Errorf("vanished: %+v", row)
		}
	}
	if n != 2 {
		t.Errorf("%d rows", n)
	}
}

func TestReaderWithoutTopic(t *testing.T) {
	c := unique(kafkatest.Broker(t))
	_, err := newReader(t.Context(), c, testBinding, quiet(), quick(new(kafkatest.Wire)))
	if !isPermanent(err) || !strings.Contains(err.Error(), "there is no topic "+c.Topic) {
		t.Errorf("%v", err)
	}
}
