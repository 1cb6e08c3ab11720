package readback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/leads-etl/leads-etl/sinks/kafka/internal/attempt"
)

// Partition is where to read.
type Partition struct {
	Client *kafka.Client
	Policy attempt.Policy
	Topic  string
	Number int
	// Ended says that all transactions that wrote the key have ended, as those
	// of the caller's own: Last waits for markers that are still being written.
	// Without it, a record whose transaction has no end in sight does not count.
	Ended bool
}

// The last stretch of the log that is read first, in offsets, and how much
// longer each one before it is. An exporter that is busy finds its position in
// the first; one that was away while others wrote, in a few more.
const (
	firstStretch = 500
	growth       = 8
)

// fetchBytes is how much is asked for at a time.
const fetchBytes = 1 << 20

// Last returns the value of the last committed record with that key, which is
// nil for a tombstone; found is false if there is no record.
func (p Partition) Last(ctx context.Context, key string) (value []byte, found bool, err error) {
	err = p.Policy.Do(ctx, "markers", func(ctx context.Context) error {
		best, undecided, err := p.last(ctx, key)
		switch {
		case err != nil:
			return &final{err}
		case undecided && p.Ended:
			return kafka.ConcurrentTransactions
		}
		value, found = best.value, best.found
		return nil
	})
	if f, ok := errors.AsType[*final](err); ok {
		err = f.error
	}
	return value, found, err
}

// final is an error that has had its attempts: it hides what is inside from the
// policy, which would go on with it.
type final struct{ error }

func (p Partition) last(ctx context.Context, key string) (best candidate, undecided bool, err error) {
	first, stable, end, err := p.offsets(ctx)
	if err != nil {
		return candidate{}, false, err
	}
	if end == first {
		// Nothing to read; that we may not read should show all the same.
		return candidate{}, false, p.mayRead(ctx, end)
	}
	behind := make(later)
	for length := int64(firstStretch); end > first; length *= growth {
		from := max(end-length, first)
		s := newStretch()
		if err := p.read(ctx, from, end, key, s); err != nil {
			return candidate{}, false, err
		}
		best, open := s.settle(behind, stable)
		undecided = undecided || open
		if best.found {
			return best, undecided, nil
		}
		end = from
	}
	return candidate{}, undecided, nil
}

// mayRead fetches at the end of the log, where nothing is.
func (p Partition) mayRead(ctx context.Context, end int64) error {
	err := p.Policy.Do(ctx, "Fetch", func(ctx context.Context) error {
		res, err := p.Client.Fetch(ctx, &kafka.FetchRequest{
			Topic: p.Topic, Partition: p.Number, Offset: end, MaxBytes: 1, MaxWait: time.Millisecond,
		})
		if err != nil {
			return err
		}
		return res.Error
	})
	if err != nil {
		return fmt.Errorf("fetch from %s/%d: %w", p.Topic, p.Number, err)
	}
	return nil
}

// offsets asks for the log's begin, the last stable offset and the log's end.
func (p Partition) offsets(ctx context.Context) (first, stable, end int64, err error) {
	for _, q := range []struct {
		which int64
		level kafka.IsolationLevel
		out   *int64
	}{
		{kafka.FirstOffset, kafka.ReadUncommitted, &first},
		{kafka.LastOffset, kafka.ReadCommitted, &stable},
		{kafka.LastOffset, kafka.ReadUncommitted, &end},
	} {
		err := p.Policy.Do(ctx, "ListOffsets", func(ctx context.Context) (err error) {
			*q.out, err = p.offset(ctx, q.which, q.level)
			return err
		})
		if err != nil {
			return 0, 0, 0, fmt.Errorf("ListOffsets of %s/%d: %w", p.Topic, p.Number, err)
		}
	}
	return first, stable, end, nil
}

func (p Partition) offset(ctx context.Context, which int64, level kafka.IsolationLevel) (int64, error) {
	res, err := p.Client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics:         map[string][]kafka.OffsetRequest{p.Topic: {{Partition: p.Number, Timestamp: which}}},
		IsolationLevel: level,
	})
	if err != nil {
		return 0, err
	}
	list := res.Topics[p.Topic]
	if len(list) != 1 {
		return 0, fmt.Errorf("answer for %d partitions: %w", len(list), protocol.ErrNoPartition)
	}
	offset := list[0].LastOffset
	if which == kafka.FirstOffset {
		offset = list[0].FirstOffset
	}
	if list[0].Error == nil && offset < 0 {
		return 0, kafka.OffsetNotAvailable
	}
	return offset, list[0].Error
}

// read takes the records of the key and all markers of [from, to) into s.
func (p Partition) read(ctx context.Context, from, to int64, key string, s *stretch) error {
	for next := from; next < to; {
		err := p.Policy.Do(ctx, "Fetch", func(ctx context.Context) error {
			res, err := p.Client.Fetch(ctx, &kafka.FetchRequest{
				Topic: p.Topic, Partition: p.Number, Offset: next,
				MinBytes: 1, MaxBytes: fetchBytes, MaxWait: time.Second,
				IsolationLevel: kafka.ReadUncommitted,
			})
			if err != nil {
				return err
			}
			if res.Error != nil {
				return res.Error
			}
			before := next
			if next, err = take(res.Records, next, to, key, s); err != nil {
				return err
			}
			_, something := res.Records.(*protocol.RecordStream)
			switch {
			case next > before:
			case something:
				// A batch that compaction has emptied: how far it reaches is not
				// told.
				next++
			default:
				// There is something at or behind every offset below the log's
				// end: the broker has just not got it ready.
				return kafka.OffsetNotAvailable
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("fetch from %s/%d: %w", p.Topic, p.Number, err)
		}
	}
	return nil
}

// take takes in the answer to a fetch from offset next, as far as to, and
// returns the offset to go on at.
func take(records kafka.RecordReader, next, to int64, key string, s *stretch) (int64, error) {
	stream, ok := records.(*protocol.RecordStream)
	if !ok {
		return next, nil // an empty answer
	}
	for _, batch := range stream.Records {
		var err error
		switch b := batch.(type) {
		case *protocol.ControlBatch:
			next, err = takeMarkers(b, next, to, s)
		case *protocol.RecordBatch:
			next, err = takeRecords(b, b.ProducerID, b.Attributes.Transactional(), b.BaseOffset, next, to, key, s)
		case *protocol.MessageSet:
			next, err = takeRecords(b, -1, false, b.BaseOffset, next, to, key, s)
		default:
			err = fmt.Errorf("records of an unknown kind, %T", batch)
		}
		if err != nil {
			return next, err
		}
	}
	return next, nil
}

func takeRecords(b kafka.RecordReader, producer int64, transactional bool, base, next, to int64, key string, s *stretch) (int64, error) {
	next = max(next, base+1)
	for {
		r, err := b.ReadRecord()
		if errors.Is(err, io.EOF) {
			return next, nil
		}
		if err != nil {
			return next, err
		}
		k, kerr := protocol.ReadAll(r.Key)
		v, verr := protocol.ReadAll(r.Value)
		closeBytes(r.Key, r.Value)
		if err := errors.Join(kerr, verr); err != nil {
			return next, err
		}
		if r.Offset < to && bytes.Equal(k, []byte(key)) {
			s.record(producer, transactional, r.Offset, v)
		}
		next = max(next, r.Offset+1)
	}
}

// Types of control records, as the Kafka protocol numbers them.
const (
	abortMarker  = 0
	commitMarker = 1
)

func takeMarkers(b *protocol.ControlBatch, next, to int64, s *stretch) (int64, error) {
	next = max(next, b.BaseOffset+1)
	for {
		r, err := b.ReadRecord()
		if errors.Is(err, io.EOF) {
			return next, nil
		}
		if err != nil {
			return next, err
		}
		control, err := protocol.ReadControlRecord(r)
		if err != nil {
			return next, fmt.Errorf("control record at %d: %w", r.Offset, err)
		}
		if control.Offset < to && (control.Type == abortMarker || control.Type == commitMarker) {
			s.marker(b.ProducerID, control.Type == commitMarker)
		}
		next = max(next, control.Offset+1)
	}
}

func closeBytes(list ...kafka.Bytes) {
	for _, b := range list {
		if b != nil {
			b.Close()
		}
	}
}
