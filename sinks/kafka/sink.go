package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/kafka/internal/readback"
	"github.com/leads-etl/leads-etl/sinks/kafka/internal/txn"
)

// positionsPartition is the one partition of the positions topic that is used.
const positionsPartition = 0

// Sink writes event rows to Kafka. It implements deliver.Sink with Append
// semantics; its only partition is deliver.Whole.
type Sink struct {
	cluster  *cluster
	producer *txn.Producer
	binding  deliver.Binding
	topics   topics
	wanted   []string
	// partitions are those of each topic. They are asked for anew with each
	// transaction: a topic may be given more.
	partitions map[string][]int
	key        string // of the position
	records    *recordMaker

	tx     *transaction
	closed bool
}

var _ deliver.Sink = (*Sink)(nil)

// Open connects to the brokers, sees that the topics are there, and takes the
// transactional id: whoever held it is fenced, and what they left open is
// aborted. It blocks for some 30 seconds where no broker answers. The config
// must be valid.
func Open(ctx context.Context, cfg Config, b deliver.Binding, logger *slog.Logger) (*Sink, error) {
	return open(ctx, cfg, b, logger, tuning{})
}

func open(ctx context.Context, cfg Config, b deliver.Binding, logger *slog.Logger, tune tuning) (*Sink, error) {
	t, err := resolveTopics(cfg.Topic, b)
	if err != nil {
		return nil, &deliver.PermanentError{Err: err}
	}
	transactionalID := ""
	if cfg.Delivery == ExactlyOnce {
		transactionalID = cfg.transactionalID(b)
	}
	list := wanted(cfg, t)
	c, err := connect(cfg, transactionalID, topicNames(list), logger, tune)
	if err != nil {
		return nil, err
	}
	s := &Sink{
		cluster: c, binding: b, topics: t, wanted: topicNames(list),
		key:     positionKey(cfg.transactionalID(b), t.pattern),
		records: newRecordMaker(b, cfg.tombstones()),
		producer: txn.New(txn.Config{
			Transport: c.transport, Addr: c.client.Addr, TransactionalID: transactionalID,
			Compression: compressions[cfg.Compression], Logger: logger,
			RequestTimeout: c.tuning.requestTimeout, Patience: c.tuning.patience, InitPatience: c.tuning.openPatience,
		}),
	}
	if s.partitions, err = c.prepare(ctx, list); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if problem := c.positionsProblem(ctx); problem != "" {
		logger.WarnContext(ctx, "kafka: the positions topic is not set up to keep positions", "problem", problem)
	}
	for _, topic := range t.names() {
		if problem := c.tombstonesProblem(ctx, topic); problem != "" {
			logger.WarnContext(ctx, "kafka: a topic is not set up for tombstones", "problem", problem)
		}
	}
	if transactionalID != "" {
		if err := c.hasTransactions(ctx); err != nil {
			return nil, errors.Join(c.explain(ctx, err, subject{doing: "asking the broker what it can do"}), s.Close())
		}
	}
	s.producer.Expect(cfg.PositionsTopic, positionsPartition)
	if err := s.init(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// init makes the producer ready, if it is not.
func (s *Sink) init(ctx context.Context) error {
	err := s.producer.Init(ctx)
	return s.cluster.explain(ctx, err, subject{doing: "taking the transactional id"})
}

// Name implements deliver.Sink.
func (s *Sink) Name() string { return "kafka" }

// Semantics implements deliver.Sink.
func (s *Sink) Semantics() deliver.Semantics { return deliver.Append }

// Position reads the last committed position from the positions topic.
func (s *Sink) Position(ctx context.Context, p deliver.Partition) (deliver.Position, error) {
	if err := s.usable(p); err != nil {
		return deliver.Position{}, err
	}
	// A transaction of ours that failed must be settled before it is asked what
	// became of it.
	if s.tx == nil {
		if err := s.init(ctx); err != nil {
			return deliver.Position{}, err
		}
	}
	ended := s.tx == nil && s.cluster.cfg.Delivery == ExactlyOnce
	return s.cluster.position(ctx, s.key, s.binding, ended)
}

// position reads a position back. It needs no transactional id, and disturbs
// nobody. ended says that no transaction of this output is open.
func (c *cluster) position(ctx context.Context, key string, b deliver.Binding, ended bool) (deliver.Position, error) {
	topic := c.cfg.PositionsTopic
	value, found, err := readback.Partition{
		Client: c.client, Topic: topic, Number: positionsPartition,
		Policy: c.opening(), Ended: ended,
	}.Last(ctx, key)
	if err != nil || !found {
		return deliver.Position{}, c.explain(ctx, err, subject{doing: "reading the position", topic: topic, right: "READ"})
	}
	position, err := parsePosition(value, b)
	if err != nil {
		return deliver.Position{}, &deliver.PermanentError{Err: fmt.Errorf("position %q in topic %s: %w", key, topic, err)}
	}
	return position, nil
}

// Begin implements deliver.Sink. It asks the brokers nothing unless the last
// transaction failed.
func (s *Sink) Begin(ctx context.Context, p deliver.Partition) (deliver.Transaction, error) {
	if err := s.usable(p); err != nil {
		return nil, err
	}
	if s.tx != nil {
		return nil, errors.New("kafka: a transaction is open")
	}
	if err := s.init(ctx); err != nil {
		return nil, err
	}
	if err := s.refresh(ctx); err != nil {
		return nil, err
	}
	if err := s.producer.Begin(ctx); err != nil {
		return nil, s.cluster.explain(ctx, err, subject{doing: "beginning a transaction"})
	}
	s.tx = &transaction{sink: s}
	return s.tx, nil
}

// refresh takes over how many partitions the topics have now. The transport
// answers from memory.
func (s *Sink) refresh(ctx context.Context) error {
	now, err := s.cluster.partitions(ctx, s.wanted)
	if err != nil {
		return err
	}
	for name, partitions := range now {
		// A topic that is gone from the metadata for a moment keeps what it had.
		if len(partitions) > len(s.partitions[name]) {
			s.partitions[name] = partitions
		}
	}
	return nil
}

func (s *Sink) usable(p deliver.Partition) error {
	switch {
	case s.closed:
		return errors.New("kafka: the sink is closed")
	case p != deliver.Whole:
		return fmt.Errorf("kafka: no partition %s: a topic has one position for all", p)
	}
	return nil
}

// closeTimeout is how long the end of an open transaction may take when nobody
// waits for it.
const closeTimeout = 10 * time.Second

// abort gives the producer's transaction up.
func (s *Sink) abort() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return s.cluster.explain(ctx, s.producer.Abort(ctx), subject{doing: "giving a transaction up"})
}

// Close implements deliver.Sink.
func (s *Sink) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	if s.tx != nil {
		err = s.tx.Rollback()
	}
	s.cluster.close()
	return err
}
