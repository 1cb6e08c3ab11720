package deliver

import (
	"context"
	"maps"
	"sort"
	"sync"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// Behind is what an output does not hold yet of the journal, as far as its
// delivery knows: by the positions that it was told, and those that it committed.
type Behind struct {
	// Pages are landed, and not in the output, or not in all their days.
	Pages int
	// Oldest is when the first of them was received; zero if there is none.
	Oldest time.Time
}

// account is a sink, and keeps account of what goes through it: the events that
// were committed, by type, and the positions. All but the sink itself is safe for
// concurrent use; it outlives the sinks that a delivery opens one after the other.
type account struct {
	mu        sync.Mutex
	semantics Semantics
	positions map[Partition]Position
	events    map[schema.EventType]int
	done      int // pages, from the first on, that a table has
}

// of returns the sink, with what goes through it counted.
func (a *account) of(sink Sink) Sink {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.semantics = sink.Semantics()
	a.positions, a.done = make(map[Partition]Position), 0 // asked for anew: a failed commit may have been one
	return &countedSink{Sink: sink, account: a}
}

// counts returns the events that were committed, by type. The map is the
// caller's.
func (a *account) counts() map[schema.EventType]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.events)
}

func (a *account) at(p Partition, pos Position) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.positions[p] = pos
}

func (a *account) committed(events map[schema.EventType]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.events == nil {
		a.events = make(map[schema.EventType]int)
	}
	for typ, n := range events {
		a.events[typ] += n
	}
}

// behind compares the positions with the journal. A partition whose position is
// not known yet counts as empty.
func (a *account) behind(j *journal.Journal) Behind {
	pages := j.Pages()
	a.mu.Lock()
	defer a.mu.Unlock()
	next := func(p Partition) journal.Seq {
		if pos := a.positions[p]; pos.Journal == j.ID() {
			return pos.Next
		}
		return 0
	}
	if a.semantics == Append {
		at := next(Whole)
		first := sort.Search(len(pages), func(i int) bool { return pages[i].Seq >= at })
		return behindBy(pages[first:])
	}
	// What is asked for at every redraw must not look at all pages of the journal.
	for a.done < len(pages) && inTable(&pages[a.done], next) {
		a.done++
	}
	var behind []journal.PageRef
	for i := range pages[a.done:] {
		if page := &pages[a.done+i]; !inTable(page, next) {
			behind = append(behind, *page)
		}
	}
	return behindBy(behind)
}

func behindBy(pages []journal.PageRef) Behind {
	if len(pages) == 0 {
		return Behind{}
	}
	return Behind{Pages: len(pages), Oldest: pages[0].Received}
}

// inTable reports whether every partition that the page touches has come beyond
// it.
func inTable(page *journal.PageRef, next func(Partition) journal.Seq) bool {
	if page.Undated > 0 && page.Seq >= next(Partition{}) {
		return false
	}
	for d := range daysOf(page.Window) {
		if page.Seq >= next(d.partition()) {
			return false
		}
	}
	return true
}

// countedSink tells the account of positions and transactions.
type countedSink struct {
	Sink
	account *account
}

func (s *countedSink) Position(ctx context.Context, p Partition) (Position, error) {
	pos, err := s.Sink.Position(ctx, p)
	if err == nil {
		s.account.at(p, pos)
	}
	return pos, err
}

func (s *countedSink) Begin(ctx context.Context, p Partition) (Transaction, error) {
	tx, err := s.Sink.Begin(ctx, p)
	if err != nil {
		return nil, err
	}
	counted := &countedTransaction{Transaction: tx, account: s.account, partition: p, events: make(map[schema.EventType]int)}
	if lingering, ok := tx.(Lingering); ok {
		return struct {
			*countedTransaction
			lingers
		}{counted, lingering}, nil
	}
	return counted, nil
}

// lingers is what Lingering adds to a transaction.
type lingers interface{ Linger() time.Duration }

// countedTransaction counts rows when they are committed.
type countedTransaction struct {
	Transaction
	account   *account
	partition Partition
	events    map[schema.EventType]int
}

func (t *countedTransaction) Write(ctx context.Context, rows []schema.Row) error {
	for i := range rows {
		t.events[rows[i].EventType]++
	}
	return t.Transaction.Write(ctx, rows)
}

func (t *countedTransaction) Commit(ctx context.Context, next Position) (Receipt, error) {
	receipt, err := t.Transaction.Commit(ctx, next)
	if err == nil {
		t.account.at(t.partition, next)
		t.account.committed(t.events)
	}
	return receipt, err
}
