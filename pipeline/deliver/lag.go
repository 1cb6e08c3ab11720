package deliver

import (
	"context"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// Lag is what an output does not hold yet of a journal.
type Lag struct {
	// Pages that are not delivered, or not to all their days.
	Pages int
	// Partitions that they touch.
	Partitions int
	// Foreign says that the output, or a part of it, has the position of another
	// journal.
	Foreign bool
	// Pruned says that it has not come as far as the journal is pruned: it is given
	// what stands for the pruned pages first.
	Pruned bool
	// Oldest is when the first of the pages was received; zero if there is none.
	Oldest time.Time
	// Next is the first record that the output does not hold: of a table, that no
	// partition does that something was landed for.
	Next journal.Seq
}

// late counts a page that is not delivered.
func (l *Lag) late(r ref) {
	if l.Oldest.IsZero() || r.received.Before(l.Oldest) {
		l.Oldest = r.received
	}
	l.Next = min(l.Next, r.seq)
}

// Positioned is what tells how far an output has come: a sink, or an observer of
// one that somebody else may be writing through.
type Positioned interface {
	// Semantics and Position are as those of Sink.
	Semantics() Semantics
	Position(ctx context.Context, p Partition) (Position, error)
}

// LagOf compares the sink's positions with the journal, of whose pruned records past
// tells. It changes nothing. The error is *AheadError if the sink holds what is
// behind the journal's end.
func LagOf(ctx context.Context, sink Positioned, j *journal.Journal, past *base.Past) (Lag, error) {
	f := newFeed(j, past)
	if _, err := f.advance(ctx); err != nil {
		return Lag{}, err
	}
	if sink.Semantics() == Append {
		p, err := sink.Position(ctx, Whole)
		if err != nil {
			return Lag{}, err
		}
		if err := f.behindEnd(p); err != nil {
			return Lag{}, err
		}
		next := f.resume(p)
		behind := f.index.from(next)
		lag := Lag{Pages: len(behind), Foreign: f.foreign(p), Pruned: next < past.Next, Next: f.next}
		for _, r := range behind {
			lag.late(r)
		}
		if lag.Pages > 0 || lag.Pruned {
			lag.Partitions = 1
		}
		return lag, nil
	}
	lag := Lag{Next: f.next}
	behind := make(map[journal.Seq]struct{})
	count := func(p Partition, pages []ref, pruned *journal.Seq) error {
		pos, err := sink.Position(ctx, p)
		if err != nil {
			return err
		}
		if err := f.behindEnd(pos); err != nil {
			return err
		}
		lag.Foreign = lag.Foreign || f.foreign(pos)
		late := pruned != nil && *pruned >= f.resume(pos)
		lag.Pruned = lag.Pruned || late
		for _, r := range pages {
			if r.seq >= f.resume(pos) {
				behind[r.seq] = struct{}{}
				lag.late(r)
				late = true
			}
		}
		if late {
			lag.Partitions++
		}
		return nil
	}
	for _, d := range f.index.days() {
		var pruned *journal.Seq
		if last, ok := f.index.pruned[d]; ok {
			pruned = &last
		}
		if err := count(d.partition(), f.index.byDay[d], pruned); err != nil {
			return Lag{}, err
		}
	}
	if _, ok := f.index.lastUndated(); ok {
		if err := count(Partition{}, f.index.undated, f.index.prunedUndated); err != nil {
			return Lag{}, err
		}
	}
	lag.Pages = len(behind)
	return lag, nil
}

// foreign reports whether p is a position in another journal.
func (f *feed) foreign(p Position) bool { return p.Journal != "" && p.Journal != f.journal.ID() }
