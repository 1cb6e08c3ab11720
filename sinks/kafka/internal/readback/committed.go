package readback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// Record is a committed record. A Value of nil is a tombstone.
type Record struct {
	Offset     int64
	Time       time.Time
	Key, Value []byte
	Headers    []kafka.Header
}

// Stable returns the offsets between which a read_committed consumer finds records
// now: the log's begin, and the first offset that is not decided yet.
func (p Partition) Stable(ctx context.Context) (first, stable int64, err error) {
	first, stable, _, err = p.offsets(ctx)
	return first, stable, err
}

// Committed returns the committed records of [from, to), which must lie below the
// stable offset, in their order. No consumer group is involved.
func (p Partition) Committed(ctx context.Context, from, to int64) ([]Record, error) {
	var records []Record
	for next := from; next < to; {
		err := p.Policy.Do(ctx, "Fetch", func(ctx context.Context) error {
			answer, err := p.fetchCommitted(ctx, next)
			if err != nil {
				return err
			}
			before := next
			some, after, err := committedOf(answer, next, to)
			if err != nil {
				return err
			}
			records, next = append(records, some...), after
			_, something := answer.RecordSet.Records.(*protocol.RecordStream)
			switch {
			case next > before:
			case something:
				next++ // as in read
			default:
				return kafka.OffsetNotAvailable // as in read
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("fetch from %s/%d: %w", p.Topic, p.Number, err)
		}
	}
	return records, nil
}

// fetchCommitted asks as kafka.Client.Fetch does, whose answer keeps to itself
// which transactions were aborted.
func (p Partition) fetchCommitted(ctx context.Context, offset int64) (*fetch.ResponsePartition, error) {
	if p.Client.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.Client.Timeout)
		defer cancel()
	}
	m, err := p.Client.Transport.RoundTrip(ctx, p.Client.Addr, &fetch.Request{
		ReplicaID: -1, MaxWaitTime: 1000, MinBytes: 1, MaxBytes: fetchBytes, IsolationLevel: int8(kafka.ReadCommitted),
		SessionID: -1, SessionEpoch: -1,
		Topics: []fetch.RequestTopic{{Topic: p.Topic, Partitions: []fetch.RequestPartition{{
			Partition: int32(p.Number), CurrentLeaderEpoch: -1, FetchOffset: offset, LogStartOffset: -1, PartitionMaxBytes: fetchBytes,
		}}}},
	})
	if err != nil {
		return nil, err
	}
	res, ok := m.(*fetch.Response)
	if !ok || len(res.Topics) != 1 || len(res.Topics[0].Partitions) != 1 {
		return nil, fmt.Errorf("answer without the partition: %w", protocol.ErrNoPartition)
	}
	answer := &res.Topics[0].Partitions[0]
	for _, code := range []int16{res.ErrorCode, answer.ErrorCode} {
		if code != 0 {
			return nil, kafka.Error(code)
		}
	}
	return answer, nil
}

// committedOf takes the committed records of [from, to) out of an answer, and returns the
// offset to go on at. The broker lists the aborted transactions that the answer
// may have a part of: one begins with its first offset, and ends with the
// producer's next marker.
func committedOf(answer *fetch.ResponsePartition, from, to int64) (records []Record, next int64, err error) {
	next = from
	stream, ok := answer.RecordSet.Records.(*protocol.RecordStream)
	if !ok {
		return nil, next, nil // an empty answer
	}
	ahead := slices.Clone(answer.AbortedTransactions)
	slices.SortFunc(ahead, func(a, b fetch.ResponseTransaction) int { return int(a.FirstOffset - b.FirstOffset) })
	aborted := make(map[int64]bool)
	for _, batch := range stream.Records {
		var some []Record
		switch b := batch.(type) {
		case *protocol.ControlBatch:
			next, err = takeMarkers(b, next, to, newStretch())
			delete(aborted, b.ProducerID)
		case *protocol.RecordBatch:
			for len(ahead) > 0 && ahead[0].FirstOffset <= b.BaseOffset {
				aborted[ahead[0].ProducerID] = true
				ahead = ahead[1:]
			}
			some, next, err = recordsOf(b, b.BaseOffset, next, from, to)
			if b.Attributes.Transactional() && aborted[b.ProducerID] {
				some = nil
			}
		case *protocol.MessageSet:
			some, next, err = recordsOf(b, b.BaseOffset, next, from, to)
		default:
			err = fmt.Errorf("records of an unknown kind, %T", batch)
		}
		if err != nil {
			return nil, from, err
		}
		records = append(records, some...)
	}
	return records, next, nil
}

// recordsOf reads a batch.
func recordsOf(b kafka.RecordReader, base, next, from, to int64) ([]Record, int64, error) {
	var records []Record
	next = max(next, base+1)
	for {
		r, err := b.ReadRecord()
		if errors.Is(err, io.EOF) {
			return records, next, nil
		}
		if err != nil {
			return nil, next, err
		}
		k, kerr := protocol.ReadAll(r.Key)
		v, verr := protocol.ReadAll(r.Value)
		closeBytes(r.Key, r.Value)
		if err := errors.Join(kerr, verr); err != nil {
			return nil, next, err
		}
		if from <= r.Offset && r.Offset < to {
			records = append(records, Record{Offset: r.Offset, Time: r.Time, Key: k, Value: v, Headers: slices.Clone(r.Headers)})
		}
		next = max(next, r.Offset+1)
	}
}
