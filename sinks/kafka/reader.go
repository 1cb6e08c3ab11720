package kafka

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"

	"github.com/leads-etl/leads-etl/pipeline/browse"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/kafka/internal/readback"
)

// readOffsets is how many offsets of all partitions together are read at a time.
const readOffsets = 8_000

// Reader reads back what is committed in the topics. It joins no consumer group,
// commits no offsets and creates no topic. It implements browse.Output.
type Reader struct {
	cluster *cluster
	binding deliver.Binding
	// partitions are the topics'.
	partitions map[string][]int
}

// NewReader connects to the brokers. It blocks as Open does where none answers. Of
// the binding it needs no journal. The caller closes the reader.
func NewReader(ctx context.Context, cfg Config, b deliver.Binding, logger *slog.Logger) (*Reader, error) {
	return newReader(ctx, cfg, b, logger, tuning{})
}

func newReader(ctx context.Context, cfg Config, b deliver.Binding, logger *slog.Logger, tune tuning) (*Reader, error) {
	t, err := resolveTopics(cfg.Topic, b)
	if err != nil {
		return nil, &deliver.PermanentError{Err: err}
	}
	c, err := connect(cfg, "", t.names(), logger, tune)
	if err != nil {
		return nil, err
	}
	list := wanted(cfg, t)
	s, err := c.look(ctx, list[:len(list)-1]) // without the positions topic
	switch {
	case err != nil:
	case len(s.electing) > 0:
		err = fmt.Errorf("topics with a partition without a leader at present: %s: try again when the brokers are back", strings.Join(s.electing, ", "))
	case len(s.partitions) == 0:
		err = &deliver.PermanentError{Err: fmt.Errorf("there is no topic %s: export there first, or check topic and brokers in [kafka]", strings.Join(t.names(), ", "))}
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return &Reader{cluster: c, binding: b, partitions: s.partitions}, nil
}

// Close ends the connections.
func (r *Reader) Close() error {
	r.cluster.close()
	return nil
}

// Rows yields the committed rows of our account on our marketplace from the last
// seen to the first, as of the moment of the call. The window is not looked at: a
// topic does not know submitted times.
func (r *Reader) Rows(ctx context.Context, _ window.Window) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		n := 0
		for _, numbers := range r.partitions {
			n += len(numbers)
		}
		var runs []iter.Seq2[schema.Row, error]
		for topic, numbers := range r.partitions {
			for _, number := range numbers {
				p := readback.Partition{Client: r.cluster.client, Policy: r.cluster.opening(), Topic: topic, Number: number}
				first, stable, err := p.Stable(ctx)
				if err != nil {
					yield(schema.Row{}, r.explain(ctx, err, topic))
					return
				}
				runs = append(runs, r.backward(ctx, p, first, stable, int64(max(readOffsets/n, 100))))
			}
		}
		browse.NewestFirst(runs)(yield)
	}
}

func (r *Reader) explain(ctx context.Context, err error, topic string) error {
	return r.cluster.explain(ctx, err, subject{doing: "reading topic " + topic, topic: topic, right: "READ"})
}

// backward yields a partition's rows from the last to the first, a stretch of
// offsets in memory at a time.
func (r *Reader) backward(ctx context.Context, p readback.Partition, first, end, stretch int64) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		for end > first {
			from := max(end-stretch, first)
			records, err := p.Committed(ctx, from, end)
			if err != nil {
				yield(schema.Row{}, r.explain(ctx, err, p.Topic))
				return
			}
			for i := range slices.Backward(records) {
				row, err := rowOf(&records[i], r.binding)
				if err != nil {
					err = fmt.Errorf("record %d of %s/%d is no row of leads-etl: %w; give the events a topic of their own", records[i].Offset, p.Topic, p.Number, err)
				} else if row.Account != r.binding.Account || row.MarketplaceID != r.binding.Marketplace {
					continue // of another seller, in the same topic
				}
				if !yield(row, err) || err != nil {
					return
				}
			}
			end = from
		}
	}
}

// rowOf is the reverse of recordMaker. A tombstone says of a lead no more than
// that it vanished, in its headers.
func rowOf(record *readback.Record, b deliver.Binding) (schema.Row, error) {
	if record.Value != nil {
		return schema.ParseJSON(record.Value)
	}
	maker := newRecordMaker(b, true)
	row := schema.Row{
		EventType: schema.Vanished, LeadID: string(record.Key), ExtractedAt: record.Time.UTC(), SchemaVersion: schema.Version,
		Account: b.Account, MarketplaceID: b.Marketplace,
	}
	for _, h := range record.Headers {
		switch h.Key {
		case maker.headers[headerID].Key:
			row.EventID = string(h.Value)
		case maker.headers[headerSource].Key:
			if !bytes.Equal(h.Value, maker.headers[headerSource].Value) {
				row.Account = "" // another's
			}
		}
	}
	return row, nil
}
