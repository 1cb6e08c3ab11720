package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/leads-etl/leads-etl/sinks/kafka/internal/attempt"
)

// transaction is what is open between Begin and Commit or Abort. Without a
// transactional id it is just what has not been sent yet.
type transaction struct {
	// ctx is what senders run under.
	ctx     context.Context //nolint:containedctx // it ends with the transaction, not with a call
	cancel  context.CancelCauseFunc
	senders sync.WaitGroup
	// slots bounds how many senders have a request under way.
	slots chan struct{}
	// joining is held by the sender that adds partitions to the transaction.
	joining chan struct{}

	// Guarded by Producer.mu.
	err      error
	changed  chan struct{} // closed and replaced by broadcast
	buffered int           // bytes added that are not with the broker
	sent     int64
	// began is when the broker was first told of the transaction; zero if it has
	// not been.
	began time.Time
}

// fail makes err the transaction's error, if it is the first. Senders make no
// request after that, but those under way are let finish. The caller holds mu.
func (tx *transaction) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}

// failed reports whether the transaction has failed or is being ended: no new
// request is to be made for it.
func (p *Producer) failed(tx *transaction) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return tx.err != nil
}

// broadcast wakes who waits for a change. The caller holds mu.
func (tx *transaction) broadcast() {
	close(tx.changed)
	tx.changed = make(chan struct{})
}

var (
	errOver = errors.New("the transaction is over")
	errOpen = errors.New("a transaction is open")
	errNone = errors.New("no transaction is open")
)

// Begin opens a transaction, after Init if need be. The context's values are
// kept, its end is not: Abort ends a transaction.
func (p *Producer) Begin(ctx context.Context) error {
	if p.tx != nil {
		return errOpen
	}
	if err := p.Init(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	p.tx = &transaction{
		ctx:     ctx,
		cancel:  cancel,
		slots:   make(chan struct{}, p.cfg.InFlight),
		joining: make(chan struct{}, 1),
		changed: make(chan struct{}),
	}
	return nil
}

// Add puts a record into the transaction. It copies the record, sends batches
// as they fill, without waiting for them, and blocks while too much waits. An
// error is the transaction's: only Abort helps then.
func (p *Producer) Add(ctx context.Context, topic string, partition int, r *Record) error {
	tx := p.tx
	if tx == nil {
		return errNone
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if tx.err != nil {
		return tx.err
	}
	size := r.size()
	l := p.lane(target{topic, partition})
	if b := l.filling; b != nil && (b.size+size > p.limit-batchHeader || len(b.entries) >= p.cfg.BatchRecords) {
		p.seal(tx, l)
	}
	if l.filling == nil {
		l.filling = p.batch.Get().(*batch)
	}
	l.filling.add(r)
	tx.buffered += size
	if tx.buffered <= p.cfg.BufferBytes {
		return nil
	}
	// Many partitions with a little each can fill the buffer, too.
	for _, l := range p.lanes {
		p.seal(tx, l)
	}
	return p.wait(ctx, tx, func() bool { return tx.buffered <= p.cfg.BufferBytes })
}

// wait returns when the condition, which is asked under mu, holds. The caller
// holds mu, also when it returns.
func (p *Producer) wait(ctx context.Context, tx *transaction, holds func() bool) error {
	for tx.err == nil && !holds() {
		changed := tx.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		p.mu.Lock()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return tx.err
}

// Flush returns when all that was added is with the broker.
func (p *Producer) Flush(ctx context.Context) error {
	tx := p.tx
	if tx == nil {
		return errNone
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lanes {
		p.seal(tx, l)
	}
	return p.wait(ctx, tx, func() bool {
		for _, l := range p.lanes {
			if !l.idle() {
				return false
			}
		}
		return true
	})
}

// Commit flushes, ends the transaction and returns the bytes sent. After an
// error the outcome is open, and the transaction too: call Abort.
func (p *Producer) Commit(ctx context.Context) (int64, error) {
	if err := p.Flush(ctx); err != nil {
		return 0, err
	}
	tx := p.tx
	if !tx.began.IsZero() {
		// The answer may be lost and the commit done: asked again, the broker
		// says yes to what it has done already.
		if err := p.endTxn(ctx, tx, true); err != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			tx.fail(err)
			return 0, err
		}
	}
	p.end(tx)
	return tx.sent, nil
}

// endTxn asks the broker to end the transaction.
func (p *Producer) endTxn(ctx context.Context, tx *transaction, commit bool) error {
	err := p.policy().Do(ctx, "EndTxn", func(ctx context.Context) error {
		res, err := p.client.EndTxn(ctx, &kafka.EndTxnRequest{
			TransactionalID: p.cfg.TransactionalID,
			ProducerID:      int(p.session.id),
			ProducerEpoch:   int(p.session.epoch),
			Committed:       commit,
		})
		if err != nil {
			return err
		}
		return res.Error
	})
	if err != nil {
		return p.judge(tx, &Error{Op: "EndTxn", Verdict: attempt.Classify(err), Err: err})
	}
	return nil
}

// Abort gives the open transaction up, if there is one: nothing of it will be
// visible, unless a Commit that failed had gone through. After an error it is
// not known whether the transaction is open still, and the producer is of no use
// any more; a new one's Init, or the broker in its time, ends it. Without a
// transactional id, what was sent stays.
func (p *Producer) Abort(ctx context.Context) error {
	tx := p.tx
	if tx == nil {
		return nil
	}
	p.stop(ctx, tx)
	failure := tx.err
	p.end(tx)
	if tx.began.IsZero() {
		return nil
	}
	p.stale = true
	if e, ok := errors.AsType[*Error](failure); ok && e.Verdict == attempt.Fenced {
		// The successor's Init has aborted it.
		p.dead = failure
		return nil
	}
	err := p.endTxn(ctx, tx, false)
	if errors.Is(err, kafka.InvalidTransactionState) {
		// It is not open: the broker was never told, or the commit went through.
		return nil
	}
	p.dead = err
	return err
}

// grace is how long Abort lets requests finish that are under way. One that is
// left alone may reach its broker after the abort; brokers before Kafka 3.6 do
// not check, and would take its batch into the log.
const grace = 2 * time.Second

// stop ends the transaction's senders.
func (p *Producer) stop(ctx context.Context, tx *transaction) {
	p.mu.Lock()
	tx.fail(errOver)
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	release := context.AfterFunc(ctx, func() { tx.cancel(errOver) })
	defer release()
	tx.senders.Wait()
}

// end empties the lanes; no sender runs any more.
func (p *Producer) end(tx *transaction) {
	tx.cancel(errOver)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lanes {
		l.joined, l.filling, l.queue = false, nil, nil
	}
	p.tx = nil
}

// join makes the lane's partition part of the transaction, together with all
// others that have something to send, and those expected to: one request
// instead of one each.
func (p *Producer) join(tx *transaction, l *lane) error {
	if !p.transactional() {
		return nil
	}
	select {
	case tx.joining <- struct{}{}:
		defer func() { <-tx.joining }()
	case <-tx.ctx.Done():
		return context.Cause(tx.ctx)
	}
	p.mu.Lock()
	if l.joined {
		p.mu.Unlock()
		return nil
	}
	if tx.began.IsZero() {
		tx.began = time.Now()
		for _, t := range p.expected {
			p.lane(t)
		}
	}
	var joining []*lane
	topics := make(map[string][]kafka.AddPartitionToTxn)
	for _, other := range p.lanes {
		if !other.joined && (!other.idle() || slices.Contains(p.expected, other.target)) {
			joining = append(joining, other)
			topics[other.topic] = append(topics[other.topic], kafka.AddPartitionToTxn{Partition: other.partition})
		}
	}
	p.mu.Unlock()

	failed := l.target
	err := p.policy().Do(tx.ctx, "AddPartitionsToTxn", func(ctx context.Context) error {
		if p.failed(tx) {
			return errOver
		}
		res, err := p.client.AddPartitionsToTxn(ctx, &kafka.AddPartitionsToTxnRequest{
			TransactionalID: p.cfg.TransactionalID,
			ProducerID:      int(p.session.id),
			ProducerEpoch:   int(p.session.epoch),
			Topics:          topics,
		})
		if err != nil {
			return err
		}
		failed, err = firstRefusal(res)
		return err
	})
	if err != nil {
		return p.judge(tx, &Error{Op: "AddPartitionsToTxn", Topic: failed.topic, Partition: failed.partition, Verdict: attempt.Classify(err), Err: err})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, other := range joining {
		other.joined = true
	}
	return nil
}

// firstRefusal returns an error of the answer, and the partition it is about.
// Where one partition is refused, the others are "not attempted": that says
// nothing.
func firstRefusal(res *kafka.AddPartitionsToTxnResponse) (target, error) {
	var where target
	var refusal error
	for topic, partitions := range res.Topics {
		for _, partition := range partitions {
			if partition.Error == nil {
				continue
			}
			if refusal == nil || errors.Is(refusal, attempt.OperationNotAttempted) {
				where, refusal = target{topic, partition.Partition}, partition.Error
			}
		}
	}
	return where, refusal
}

// judge looks again at a refusal for the epoch's sake: the broker raises it for
// a successor, but also when it gives up a transaction that took too long.
func (p *Producer) judge(tx *transaction, e *Error) *Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Verdict == attempt.Fenced && time.Since(tx.began) >= p.cfg.TransactionTimeout {
		e.Verdict = attempt.StartOver
		e.Err = fmt.Errorf("the transaction was open for more than %s, and the broker gave it up: %w", p.cfg.TransactionTimeout, e.Err)
	}
	return e
}
