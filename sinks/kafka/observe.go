package kafka

import (
	"context"
	"log/slog"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// Observer tells how far the output in a topic has come, and disturbs nobody: it
// takes no transactional id and creates no topic. It implements
// deliver.Positioned.
type Observer struct {
	cluster *cluster
	binding deliver.Binding
	key     string
	// started is false if there is no positions topic yet.
	started bool
}

// Observe connects to the brokers. It blocks as Open does where none answers.
func Observe(ctx context.Context, cfg Config, b deliver.Binding, logger *slog.Logger) (*Observer, error) {
	return observe(ctx, cfg, b, logger, tuning{})
}

func observe(ctx context.Context, cfg Config, b deliver.Binding, logger *slog.Logger, tune tuning) (*Observer, error) {
	t, err := resolveTopics(cfg.Topic, b)
	if err != nil {
		return nil, &deliver.PermanentError{Err: err}
	}
	c, err := connect(cfg, "", []string{cfg.PositionsTopic}, logger, tune)
	if err != nil {
		return nil, err
	}
	list := wanted(cfg, t)
	s, err := c.look(ctx, list[len(list)-1:]) // the positions topic
	if err != nil {
		c.close()
		return nil, err
	}
	return &Observer{
		cluster: c, binding: b, key: positionKey(cfg.transactionalID(b), t.pattern),
		started: len(s.missing) == 0,
	}, nil
}

// Semantics is Append.
func (o *Observer) Semantics() deliver.Semantics { return deliver.Append }

// Position reads the last committed position. A transaction that is open at the
// moment does not count.
func (o *Observer) Position(ctx context.Context, _ deliver.Partition) (deliver.Position, error) {
	if !o.started {
		return deliver.Position{}, nil
	}
	return o.cluster.position(ctx, o.key, o.binding, false)
}

// Close ends the connections.
func (o *Observer) Close() error {
	o.cluster.close()
	return nil
}
