package deliver

import (
	"context"
	"time"

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

// LagOf compares the sink's positions with the journal. It changes nothing.
func LagOf(ctx context.Context, sink Positioned, j *journal.Journal) (Lag, error) {
	f := newFeed(j)
	if _, err := f.advance(ctx); err != nil {
		return Lag{}, err
	}
	if sink.Semantics() == Append {
		p, err := sink.Position(ctx, Whole)
		if err != nil {
			return Lag{}, err
		}
		behind := f.index.from(f.resume(p))
		lag := Lag{Pages: len(behind), Foreign: f.foreign(p), Next: f.next}
		for _, r := range behind {
			lag.late(r)
		}
		if lag.Pages > 0 {
			lag.Partitions = 1
		}
		return lag, nil
	}
	lag := Lag{Next: f.next}
	behind := make(map[journal.Seq]struct{})
	count := func(p Partition, pages []ref) error {
		pos, err := sink.Position(ctx, p)
		if err != nil {
			return err
		}
		lag.Foreign = lag.Foreign || f.foreign(pos)
		late := false
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
		if err := count(d.partition(), f.index.byDay[d]); err != nil {
			return Lag{}, err
		}
	}
	if len(f.index.undated) > 0 {
		if err := count(Partition{}, f.index.undated); err != nil {
			return Lag{}, err
		}
	}
	lag.Pages = len(behind)
	return lag, nil
}

// foreign reports whether p is a position in another journal.
func (f *feed) foreign(p Position) bool { return p.Journal != "" && p.Journal != f.journal.ID() }
