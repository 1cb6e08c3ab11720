package kafka

import (
	"bytes"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// TestPartitioner has the hashes of the Java client's own test of murmur2
// (org.apache.kafka.common.utils.UtilsTest): a partition is the hash without its
// sign bit, modulo the number of partitions.
func TestPartitioner(t *testing.T) {
	for key, hash := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		for _, n := range []int{1, 3, 12, 1000} {
			partitions := make([]int, n)
			for i := range partitions {
				partitions[i] = i
			}
			if got, want := partitionOf([]byte(key), partitions), int(hash&0x7fffffff)%n; got != want {
				t.Errorf("%s of %d partitions: %d, want %d", key, n, got, want)
			}
		}
	}
}

func TestRecord(t *testing.T) {
	m := newRecordMaker(deliver.Binding{Account: "Example & Söhne", Marketplace: "EBAY_DE"}, true)
	for _, row := range sinktest.Leads(sinktest.Day, 0, 3) { // the maker's memory is used again
		row.ExtractedAt = time.Date(2026, 9, 2, 3, 4, 5, 678_000_000, time.UTC)
		record, err := m.of(&row)
		if err != nil {
			t.Fatal(err)
		}
		value, err := schema.AppendJSON(nil, &row)
		if err != nil {
			t.Fatal(err)
		}
		if string(record.Key) != row.LeadID || !bytes.Equal(record.Value, value) || !record.Time.Equal(row.ExtractedAt) {
			t.Errorf("key %s, time %v, value %.80s", record.Key, record.Time, record.Value)
		}
		want := [][2]string{
			{"ce_specversion", "1.0"},
			{"ce_id", row.EventID},
			{"ce_type", "com.ebay.sell.lead.snapshot"},
			{"ce_source", "/sell/leads/v1/EBAY_DE/Example%20&%20S%C3%B6hne"},
			{"ce_subject", row.LeadID},
			{"ce_time", "2026-09-02T03:04:05.678Z"},
			{"content-type", "application/json"},
		}
		if len(record.Headers) != len(want) {
			t.Fatalf("%d headers", len(record.Headers))
		}
		for i, h := range record.Headers {
			if h.Key != want[i][0] || string(h.Value) != want[i][1] {
				t.Errorf("header %s: %s, want %s: %s", h.Key, h.Value, want[i][0], want[i][1])
			}
		}
	}
}

func TestRecordOfAVanishedLead(t *testing.T) {
	for _, tombstones := range []bool{false, true} {
		m := newRecordMaker(testBinding, tombstones)
		row := sinktest.Leads(sinktest.Day, 0, 1)[0]
		for _, row.EventType = range []schema.EventType{schema.Updated, schema.Vanished, schema.Created} {
			record, err := m.of(&row)
			if err != nil {
				t.Fatal(err)
			}
			if want := tombstones && row.EventType == schema.Vanished; (record.Value == nil) != want || string(record.Key) != row.LeadID || len(record.Headers) != 7 {
				t.Errorf("tombstones %t, %s: key %s, %d headers, value %.80s", tombstones, row.EventType, record.Key, len(record.Headers), record.Value)
			}
		}
	}
}

func TestRecordOfInvalidText(t *testing.T) {
	m := newRecordMaker(testBinding, false)
	row := sinktest.Leads(sinktest.Day, 0, 1)[0]
	row.ItemTitle = schema.Some("\xff")
	if _, err := m.of(&row); err == nil {
		t.Error("invalid UTF-8 was encoded")
	}
}
