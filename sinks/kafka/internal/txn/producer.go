package txn

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/leads-etl/leads-etl/sinks/kafka/internal/attempt"
)

// Config is what a producer is made of. Zero limits mean the defaults.
type Config struct {
	// Transport sends the requests; it is shared and not closed here. Addr is the
	// cluster.
	Transport kafka.RoundTripper
	Addr      net.Addr
	// TransactionalID is the producer's stable name. Without one there are no
	// transactions: what Add wrote stays.
	TransactionalID string
	Compression     kafka.Compression
	Logger          *slog.Logger

	// BatchBytes and BatchRecords are how large a batch grows, before
	// compression. The default stays below the brokers' message.max.bytes even
	// if nothing can be compressed; larger ones cost more memory.
	BatchBytes, BatchRecords int
	// BufferBytes is how much may wait to be sent: Add blocks above it.
	BufferBytes int
	// InFlight is how many partitions are sent to at the same time.
	InFlight int
	// TransactionTimeout is after how long the broker gives a transaction up
	// that was not ended.
	TransactionTimeout time.Duration
	// RequestTimeout is how long one attempt may take, Patience for how long a
	// request is tried again, InitPatience the same for Init, which may have to
	// wait for the end of another's transaction.
	RequestTimeout, Patience, InitPatience time.Duration
}

func (c *Config) setDefaults() {
	set(&c.BatchBytes, 500_000)
	set(&c.BatchRecords, 1000)
	set(&c.BufferBytes, 4<<20)
	set(&c.InFlight, 8)
	set(&c.TransactionTimeout, 5*time.Minute)
	set(&c.RequestTimeout, 30*time.Second)
	set(&c.Patience, 90*time.Second)
	set(&c.InitPatience, c.Patience)
}

func set[T int | time.Duration](v *T, value T) {
	if *v == 0 {
		*v = value
	}
}

// Producer writes transactions, one at a time. Its methods are for one
// goroutine; inside, several send.
type Producer struct {
	cfg    Config
	client *kafka.Client
	batch  sync.Pool

	// session is who the broker takes us for. It is stale after a failure, until
	// Init: so is every lane's sequence.
	session session
	stale   bool
	// dead is why the producer is of no use any more: it was fenced, or does not
	// know whether its last transaction is open.
	dead error

	// mu guards what senders and the caller share: the lanes, and what of the
	// transaction is said to be guarded.
	mu       sync.Mutex
	lanes    map[target]*lane
	expected []target
	// limit is BatchBytes, or less once a broker has refused a batch.
	limit int
	tx    *transaction
}

// target is a partition of a topic.
type target struct {
	topic     string
	partition int
}

// New returns a producer that has not spoken to the broker yet.
func New(cfg Config) *Producer {
	cfg.setDefaults()
	return &Producer{
		cfg: cfg,
		// The client tells the broker half of its time-out, so that the broker's
		// answer that time is up comes before our own.
		client:  &kafka.Client{Addr: cfg.Addr, Transport: cfg.Transport, Timeout: cfg.RequestTimeout},
		batch:   sync.Pool{New: func() any { return new(batch) }},
		session: noSession,
		stale:   cfg.TransactionalID != "",
		lanes:   make(map[target]*lane),
		limit:   cfg.BatchBytes,
	}
}

func (p *Producer) transactional() bool { return p.cfg.TransactionalID != "" }

func (p *Producer) policy() attempt.Policy {
	return attempt.Policy{Patience: p.cfg.Patience, Logger: p.cfg.Logger}
}

// Expect says that every transaction will write to that partition, so that it
// joins each together with the first that do.
func (p *Producer) Expect(topic string, partition int) {
	p.expected = append(p.expected, target{topic, partition})
}

// Init makes the producer ready for a transaction, if it is not. The first time
// it takes the transactional id: that fences whoever held it, and waits until
// what they left open is aborted. Later, after a failure, it goes on as the one
// who held the id last, and fails if that is another by now. Without a
// transactional id it does nothing.
func (p *Producer) Init(ctx context.Context) error {
	switch {
	case p.dead != nil:
		return p.dead
	case !p.stale:
		return nil
	case p.tx != nil:
		return errOpen
	}
	err := p.initProducerID(ctx)
	for errors.Is(err, kafka.InvalidTransactionTimeout) && p.cfg.TransactionTimeout > leastTimeout {
		// The broker's transaction.max.timeout.ms is below what it is by default.
		p.cfg.TransactionTimeout = max(p.cfg.TransactionTimeout/2, leastTimeout)
		err = p.initProducerID(ctx)
	}
	if err != nil {
		e := &Error{Op: "InitProducerID", Verdict: attempt.Classify(err), Err: err}
		if e.Verdict == attempt.Fenced {
			p.dead = e
		}
		return e
	}
	for _, l := range p.lanes {
		l.sequence = 0
	}
	p.stale = false
	return nil
}

// leastTimeout is the shortest time for a transaction that makes sense to ask.
const leastTimeout = 10 * time.Second

func (p *Producer) initProducerID(ctx context.Context) error {
	policy := p.policy()
	policy.Patience = p.cfg.InitPatience
	return policy.Do(ctx, "InitProducerID", func(ctx context.Context) error {
		res, err := p.client.InitProducerID(ctx, &kafka.InitProducerIDRequest{
			TransactionalID:      p.cfg.TransactionalID,
			TransactionTimeoutMs: int(p.cfg.TransactionTimeout.Milliseconds()),
			// At first -1 and -1, which take the id from whoever has it.
			ProducerID: int(p.session.id), ProducerEpoch: int(p.session.epoch),
		})
		if err != nil {
			return err
		}
		if res.Error != nil {
			return res.Error
		}
		p.session = session{int64(res.Producer.ProducerID), int16(res.Producer.ProducerEpoch)}
		return nil
	})
}
