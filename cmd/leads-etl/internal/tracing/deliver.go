package tracing

import (
	"context"
	"sort"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// landings remember which trace landed which page, of the last ones.
type landings struct {
	mu   sync.Mutex
	last []landing // by seq
}

type landing struct {
	seq journal.Seq
	by  trace.SpanContext
}

// maxLandings bounds what is remembered: a sink that is further behind commits
// without knowing whose pages they are.
const maxLandings = 4096

func (l *landings) add(seq journal.Seq, by trace.SpanContext) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := sort.Search(len(l.last), func(i int) bool { return l.last[i].seq > seq })
	l.last = append(l.last, landing{})
	copy(l.last[at+1:], l.last[at:])
	l.last[at] = landing{seq, by}
	if len(l.last) > maxLandings {
		l.last = append(l.last[:0], l.last[len(l.last)-maxLandings/2:]...)
	}
}

// of returns those that landed the pages [from, to), each once, the newest first.
func (l *landings) of(from, to journal.Seq) []trace.SpanContext {
	l.mu.Lock()
	defer l.mu.Unlock()
	var by []trace.SpanContext
	for i := len(l.last) - 1; i >= 0 && l.last[i].seq >= from; i-- {
		page := l.last[i]
		if page.seq < to && page.by.IsValid() && (len(by) == 0 || by[len(by)-1].SpanID() != page.by.SpanID()) {
			by = append(by, page.by)
		}
	}
	return by
}

// Opener makes a span of each transaction of the sink that it opens. It is part of
// the trace that it is done for: a batch, or the newest poll whose pages it holds,
// with links to the others.
func (t *Tracer) Opener(o deliver.Opener) deliver.Opener {
	if t == nil {
		return o
	}
	return deliver.Opener{Name: o.Name, Open: func(ctx context.Context) (deliver.Sink, error) {
		sink, err := o.Open(ctx)
		if err != nil {
			return nil, err
		}
		return &tracedSink{Sink: sink, Tracer: t, name: o.Name}, nil
	}}
}

// tracedSink is used by one goroutine at a time, as every sink.
type tracedSink struct {
	deliver.Sink
	*Tracer
	name string
	// next is the position of a sink that appends, which has one transaction at a time.
	// Those of others are written while another is committed, and must not touch it.
	next journal.Seq
}

func (s *tracedSink) Position(ctx context.Context, p deliver.Partition) (deliver.Position, error) {
	pos, err := s.Sink.Position(ctx, p)
	if err == nil && p == deliver.Whole {
		s.next = pos.Next
	}
	return pos, err
}

func (s *tracedSink) Begin(ctx context.Context, p deliver.Partition) (deliver.Transaction, error) {
	begun := time.Now()
	tx, err := s.Sink.Begin(ctx, p)
	if err != nil {
		return nil, err
	}
	traced := &tracedTransaction{Transaction: tx, sink: s, partition: p, begun: begun}
	if lingering, ok := tx.(deliver.Lingering); ok {
		return struct {
			*tracedTransaction
			lingers
		}{traced, lingering}, nil
	}
	return traced, nil
}

// lingers is what deliver.Lingering adds to a transaction.
type lingers interface{ Linger() time.Duration }

type tracedTransaction struct {
	deliver.Transaction
	sink      *tracedSink
	partition deliver.Partition
	begun     time.Time
	rows      int
}

func (t *tracedTransaction) Write(ctx context.Context, rows []schema.Row) error {
	err := t.Transaction.Write(ctx, rows)
	if err != nil {
		end(t.span(ctx, 0), err)
		return err
	}
	t.rows += len(rows)
	return nil
}

func (t *tracedTransaction) Commit(ctx context.Context, next deliver.Position) (deliver.Receipt, error) {
	receipt, err := t.Transaction.Commit(ctx, next)
	span := t.span(ctx, next.Next)
	if err == nil {
		if t.partition == deliver.Whole {
			t.sink.next = next.Next
		}
		span.SetAttributes(attribute.Int("files", receipt.Files), attribute.Int64("bytes", receipt.Bytes), attribute.Bool("unchanged", receipt.Unchanged))
	}
	end(span, err)
	return receipt, err
}

// span is that of the transaction, from its beginning on: which trace it belongs
// to is known at its end. next is the position that it comes to.
func (t *tracedTransaction) span(ctx context.Context, next journal.Seq) trace.Span {
	options := []trace.SpanStartOption{trace.WithTimestamp(t.begun), trace.WithAttributes(
		attribute.String("sink", t.sink.name), attribute.String("partition", t.partition.String()),
		attribute.Int("rows", t.rows), attribute.Int64("next", int64(next)),
	)}
	if t.partition == deliver.Whole && !trace.SpanContextFromContext(ctx).IsValid() {
		if polls := t.sink.landed.of(t.sink.next, next); len(polls) > 0 {
			ctx = trace.ContextWithSpanContext(ctx, polls[0])
			for _, other := range polls[1:] {
				options = append(options, trace.WithLinks(trace.Link{SpanContext: other}))
			}
		}
	}
	_, span := t.sink.tracer.Start(ctx, "deliver to "+t.sink.name, options...)
	return span
}
