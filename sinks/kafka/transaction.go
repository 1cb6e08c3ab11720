package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/kafka/internal/txn"
)

// transaction is one transaction of Kafka's, or, with at-least-once, what is
// written between two positions.
type transaction struct {
	sink *Sink
	rows int
	over bool
}

var errOver = errors.New("kafka: the transaction is over")

// Write implements deliver.Transaction. Batches are sent as they fill, without
// waiting for the brokers, unless too much waits to be sent.
func (t *transaction) Write(ctx context.Context, rows []schema.Row) error {
	if t.over {
		return errOver
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s := t.sink
	for i := range rows {
		row := &rows[i]
		topic, ok := s.topics.byType[row.EventType]
		if !ok {
			return &deliver.PermanentError{Err: fmt.Errorf("kafka: no topic for events of type %q", row.EventType)}
		}
		record, err := s.records.of(row)
		if err != nil {
			return &deliver.PermanentError{Err: fmt.Errorf("kafka: encoding the event of lead %s: %w", row.LeadID, err)}
		}
		if err := s.producer.Add(ctx, topic, partitionOf(record.Key, s.partitions[topic]), record); err != nil {
			return t.explain(ctx, err)
		}
	}
	t.rows += len(rows)
	return nil
}

// Commit implements deliver.Transaction.
func (t *transaction) Commit(ctx context.Context, next deliver.Position) (deliver.Receipt, error) {
	if t.over {
		return deliver.Receipt{}, errOver
	}
	if ctx.Err() != nil {
		return deliver.Receipt{}, context.Cause(ctx)
	}
	s := t.sink
	record, err := t.position(next)
	if err != nil {
		return deliver.Receipt{}, err
	}
	if s.cluster.transactionalID == "" {
		// The position must not get there before the rows.
		if err := s.producer.Flush(ctx); err != nil {
			return deliver.Receipt{}, t.explain(ctx, err)
		}
	}
	if err := s.producer.Add(ctx, s.cluster.cfg.PositionsTopic, positionsPartition, record); err != nil {
		return deliver.Receipt{}, t.explain(ctx, err)
	}
	sent, err := s.producer.Commit(ctx)
	if err != nil {
		return deliver.Receipt{}, t.explain(ctx, err)
	}
	t.end()
	return deliver.Receipt{Rows: t.rows, Bytes: sent}, nil
}

func (t *transaction) position(next deliver.Position) (*txn.Record, error) {
	s := t.sink
	now := time.Now().UTC().Truncate(time.Millisecond)
	value, err := positionRecord{
		Version: positionVersion, Position: next,
		Account: s.binding.Account, Marketplace: s.binding.Marketplace, Topic: s.topics.pattern,
		Written: now,
	}.encode()
	if err != nil {
		return nil, fmt.Errorf("kafka: encoding the position: %w", err)
	}
	return &txn.Record{Key: []byte(s.key), Value: value, Time: now}, nil
}

// Rollback implements deliver.Transaction. With at-least-once, what was sent
// stays.
func (t *transaction) Rollback() error {
	if t.over {
		return nil
	}
	t.end()
	return t.sink.abort()
}

func (t *transaction) end() {
	t.over = true
	t.sink.tx = nil
}

func (t *transaction) explain(ctx context.Context, err error) error {
	return t.sink.cluster.explain(ctx, err, subject{doing: "writing to Kafka", right: "WRITE"})
}
