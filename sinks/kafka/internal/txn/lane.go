package txn

import (
	"bytes"
	"context"
	"errors"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/leads-etl/leads-etl/sinks/kafka/internal/attempt"
)

// lane is the way to one partition: batches leave it in order, one at a time.
type lane struct {
	target
	// sequence is that of the next record. It belongs to the sender, if one runs.
	sequence int32

	// Guarded by Producer.mu.
	joined  bool     // the partition is part of the open transaction
	filling *batch   // takes records; nil if there is none
	queue   []*batch // full, to be sent
	sending bool     // a sender runs
}

// idle reports whether all that was added is with the broker.
func (l *lane) idle() bool { return l.filling == nil && len(l.queue) == 0 && !l.sending }

// lane returns the lane to the partition. The caller holds mu.
func (p *Producer) lane(t target) *lane {
	l := p.lanes[t]
	if l == nil {
		l = &lane{target: t}
		p.lanes[t] = l
	}
	return l
}

// seal puts what is filling into the queue and sees that it is sent. The caller
// holds mu.
func (p *Producer) seal(tx *transaction, l *lane) {
	if l.filling == nil {
		return
	}
	l.queue = append(l.queue, l.filling)
	l.filling = nil
	if !l.sending {
		l.sending = true
		tx.senders.Go(func() { p.drain(tx, l) })
	}
}

// drain sends what is in the lane's queue, until it is empty or the transaction
// has failed.
func (p *Producer) drain(tx *transaction, l *lane) {
	for {
		p.mu.Lock()
		if len(l.queue) == 0 || tx.err != nil {
			l.sending = false
			tx.broadcast()
			p.mu.Unlock()
			return
		}
		b := l.queue[0]
		l.queue = l.queue[1:]
		p.mu.Unlock()

		sent, err := p.send(tx, l, b)

		p.mu.Lock()
		tx.buffered -= b.size
		tx.sent += int64(sent)
		if err != nil {
			tx.fail(err)
		}
		tx.broadcast()
		p.mu.Unlock()
		b.reset()
		p.batch.Put(b)
	}
}

// send writes one batch and returns the bytes that took.
func (p *Producer) send(tx *transaction, l *lane, b *batch) (int, error) {
	select {
	case tx.slots <- struct{}{}:
		defer func() { <-tx.slots }()
	case <-tx.ctx.Done():
		return 0, context.Cause(tx.ctx)
	}
	if err := p.join(tx, l); err != nil {
		return 0, err
	}
	return p.sendSpan(tx, l, b.all())
}

// sendSpan writes a stretch of a batch, in parts if the broker finds it too
// large.
func (p *Producer) sendSpan(tx *transaction, l *lane, s span) (int, error) {
	raw, err := s.encode(p.cfg.Compression, p.session, l.sequence)
	if err != nil {
		return 0, &Error{Op: "Produce", Topic: l.topic, Partition: l.partition, Err: err}
	}
	err = p.policy().Do(tx.ctx, "Produce", func(ctx context.Context) error {
		if p.failed(tx) {
			return errOver
		}
		res, err := p.client.RawProduce(ctx, &kafka.RawProduceRequest{
			Topic:           l.topic,
			Partition:       l.partition,
			RequiredAcks:    kafka.RequireAll,
			TransactionalID: p.cfg.TransactionalID,
			// Read anew by each attempt, the same bytes. One that was given up
			// may still be reading them, which is why they are never reused.
			RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(raw)},
		})
		if err != nil {
			return err
		}
		return res.Error
	})
	if code, ok := errors.AsType[kafka.Error](err); ok && isTooLarge(code) {
		return p.sendParts(tx, l, s, len(raw)-sizePrefix, err)
	}
	if err != nil {
		return 0, p.judge(tx, &Error{Op: "Produce", Topic: l.topic, Partition: l.partition, Verdict: attempt.Classify(err), Err: err})
	}
	l.sequence = after(l.sequence, s.len())
	return len(raw) - sizePrefix, nil
}

// after is the sequence n records on. Sequences wrap to 0 after the largest
// int32.
func after(sequence int32, n int) int32 {
	return int32((int64(sequence) + int64(n)) % (1 << 31))
}

// sendParts writes the two halves of a stretch that was refused for its size,
// sent bytes, and makes later batches smaller.
func (p *Producer) sendParts(tx *transaction, l *lane, s span, sent int, refusal error) (int, error) {
	if s.len() == 1 {
		e := s.entries[s.from]
		return 0, &TooLargeError{
			Topic: l.topic, Key: string(s.bytes[e.key:e.value]), Bytes: e.size, Sent: sent, Err: refusal,
		}
	}
	first, second := s.halves()
	p.mu.Lock()
	p.limit = max(min(p.limit, s.bytesOf()/2), leastLimit)
	p.mu.Unlock()
	n, err := p.sendSpan(tx, l, first)
	if err != nil {
		return n, err
	}
	m, err := p.sendSpan(tx, l, second)
	return n + m, err
}

// leastLimit keeps one huge record from making all later batches tiny.
const leastLimit = 16 << 10

// bytesOf estimates the stretch's size before compression.
func (s span) bytesOf() int {
	n := batchHeader
	for _, e := range s.entries[s.from:s.to] {
		n += e.size
	}
	return n
}
