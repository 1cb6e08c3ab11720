package kafka

import (
	"net/url"

	"github.com/segmentio/kafka-go"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/kafka/internal/txn"
)

// eventTypePrefix begins the CloudEvents type of all events.
const eventTypePrefix = "com.ebay.sell.lead."

// Places in recordMaker.headers of those that differ from row to row.
const (
	headerID = iota + 1
	headerType
	headerSource
	headerSubject
	headerTime
)

// recordMaker makes records of rows, with the headers of CloudEvents 1.0 in
// Kafka's binary mode. It uses its memory again: a record is good until the next.
type recordMaker struct {
	record  txn.Record
	headers [7]kafka.Header
	key     []byte
	value   []byte
	id      []byte
	kind    []byte
	time    []byte
	// tombstones says that a vanished lead's record has no value.
	tombstones bool
}

func newRecordMaker(b deliver.Binding, tombstones bool) *recordMaker {
	// The source is a URI reference: a name may have characters that are not
	// allowed in one.
	source := "/sell/leads/v1/" + url.PathEscape(b.Marketplace) + "/" + url.PathEscape(b.Account)
	return &recordMaker{tombstones: tombstones, headers: [7]kafka.Header{
		{Key: "ce_specversion", Value: []byte("1.0")},
		headerID:      {Key: "ce_id"},
		headerType:    {Key: "ce_type"},
		headerSource:  {Key: "ce_source", Value: []byte(source)},
		headerSubject: {Key: "ce_subject"},
		headerTime:    {Key: "ce_time"},
		6:             {Key: "content-type", Value: []byte("application/json")},
	}}
}

func (m *recordMaker) of(r *schema.Row) (*txn.Record, error) {
	var err error
	if m.value, err = schema.AppendJSON(m.value[:0], r); err != nil {
		return nil, err
	}
	m.key = append(m.key[:0], r.LeadID...)
	m.id = append(m.id[:0], r.EventID...)
	m.kind = append(append(m.kind[:0], eventTypePrefix...), r.EventType...)
	m.headers[headerID].Value = m.id
	m.headers[headerType].Value = m.kind
	m.headers[headerSubject].Value = m.key
	m.time = schema.AppendTime(m.time[:0], r.ExtractedAt)
	m.headers[headerTime].Value = m.time
	m.record = txn.Record{Key: m.key, Value: m.value, Time: r.ExtractedAt, Headers: m.headers[:]}
	if m.tombstones && r.EventType == schema.Vanished {
		m.record.Value = nil
	}
	return &m.record, nil
}

// partitionOf picks the key's partition as the Java client does: murmur2.
// partitions are a topic's, from 0 without holes.
func partitionOf(key []byte, partitions []int) int {
	return partitioner.Balance(kafka.Message{Key: key}, partitions...)
}

var partitioner = kafka.Murmur2Balancer{Consistent: true}
