package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// Observer observes one sink, beside whoever writes to it.
type Observer struct {
	Name string
	Open func(context.Context) (Observed, error)
}

// Observed is a sink that is being observed.
type Observed interface {
	deliver.Positioned
	io.Closer
}

// PrunePlan is what of a journal can be pruned.
type PrunePlan struct {
	// The journal begins with record First, and can be cut at To; they are the same
	// if it cannot.
	First, To journal.Seq
	// Old is where it could be cut if it went by age alone.
	Old journal.Seq
	// Segments files of so many Bytes would go.
	Segments int
	Bytes    int64
	// Holds are what keeps To below Old.
	Holds []Hold
}

// Hold is somebody who still needs what is old enough to be pruned.
type Hold struct {
	// By is the sink's name.
	By string
	// From is the first record that is needed.
	From   journal.Seq
	Reason string
}

// String is the hold in one line.
func (h Hold) String() string { return h.By + " " + h.Reason }

// PlanPrune works out how much of the journal can be pruned that is older than
// keep. limit bounds the number of segments; 0 for all. known is how far the store
// of known leads has come, if somebody has it open. It changes nothing.
func PlanPrune(ctx context.Context, j *journal.Journal, keep time.Duration, limit int, known *journal.Seq, observers []Observer) (PrunePlan, error) {
	segments := j.Segments()
	p := PrunePlan{First: segments[0].First, To: segments[0].First}
	// The last segment is written to.
	old := oldBefore(j, time.Now().Add(-keep))
	p.Old = cutAt(segments, old, 0)
	if p.Old == p.First {
		return p, nil
	}
	needed := p.Old
	hold := func(h Hold) {
		if h.From < p.Old {
			p.Holds = append(p.Holds, h)
			needed = min(needed, h.From)
		}
	}
	if known != nil {
		hold(Hold{By: "known leads", From: *known, Reason: "have not taken it in yet"})
	}
	for _, o := range observers {
		h, err := holdOf(ctx, o, j)
		if err != nil {
			return p, err
		}
		hold(h)
	}
	p.To = cutAt(segments, needed, limit)
	for _, s := range segments {
		if s.First < p.To {
			p.Segments++
			p.Bytes += s.Bytes
		}
	}
	return p, nil
}

// oldBefore returns the record before which all pages were received before t.
func oldBefore(j *journal.Journal, t time.Time) journal.Seq {
	for _, page := range j.Pages() {
		if !page.Received.Before(t) {
			return page.Seq
		}
	}
	return j.End()
}

// cutAt returns the last record at or before most with which a segment begins that
// is at most limit (0 for all) behind the first.
func cutAt(segments []journal.SegmentRef, most journal.Seq, limit int) journal.Seq {
	at := segments[0].First
	for i, s := range segments {
		if s.First > most || limit > 0 && i > limit {
			break
		}
		at = s.First
	}
	return at
}

// holdOf asks a sink what it needs. One that cannot be asked needs everything; the
// error is the context's.
func holdOf(ctx context.Context, o Observer, j *journal.Journal) (Hold, error) {
	need, err := needOf(ctx, o, j)
	switch {
	case ctx.Err() != nil:
		return Hold{}, ctx.Err()
	case err != nil:
		return Hold{By: o.Name, Reason: "cannot be asked how far it has come: " + err.Error()}, nil //nolint:nilerr // it is the hold's reason
	case need.Foreign:
		return Hold{By: o.Name, Reason: "was written under another journal, and is written anew by the next run"}, nil
	case need.From == 0:
		return Hold{By: o.Name, Reason: "has not been given anything yet, or not all that was pruned before"}, nil
	}
	return Hold{By: o.Name, From: need.From, Reason: fmt.Sprintf("has come to record %d only", need.From)}, nil
}

func needOf(ctx context.Context, o Observer, j *journal.Journal) (deliver.Need, error) {
	observed, err := o.Open(ctx)
	if err != nil {
		return deliver.Need{}, err
	}
	need, err := deliver.NeedOf(ctx, observed, j)
	return need, errors.Join(err, observed.Close())
}

// Prune prunes what is older than Keep and nobody needs any more, at most limit
// segments (0 for all), and returns what it did.
func Prune(ctx context.Context, s Stages, limit int) (PrunePlan, error) {
	var known *journal.Seq
	if s.Known != nil {
		at := s.Known.Position()
		known = &at
	}
	p, err := PlanPrune(ctx, s.Journal, s.Keep, limit, known, s.Observers)
	if err != nil || p.To == p.First {
		return p, err
	}
	begun := time.Now()
	if err := s.Base.Prune(ctx, p.To, s.Known); err != nil {
		return p, fmt.Errorf("pruning the journal: %w", err)
	}
	b, release := s.Base.Pin()
	defer release()
	s.Logger.InfoContext(ctx, "pruned the journal", "before", p.To, "segments", p.Segments, "bytes", p.Bytes,
		"known_leads", b.Past().Known, "took", time.Since(begun).Round(time.Millisecond).String())
	return p, nil
}

// pruneQuietly prunes beside other work, which goes on if that fails.
func (s *Stages) pruneQuietly(ctx context.Context, limit int) {
	if s.Keep <= 0 {
		return
	}
	p, err := Prune(ctx, *s, limit)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.Logger.WarnContext(ctx, "the journal could not be pruned; nothing is lost, and it is tried again", "error", err)
	case len(p.Holds) > 0:
		s.Logger.InfoContext(ctx, "the journal cannot be pruned further", "held_back_by", p.Holds[0].String(), "holds", len(p.Holds))
	}
}

// In a stream it is looked now and then whether there is something to prune, and
// little is pruned at a time, so that polls do not wait.
const (
	pruneEvery    = time.Hour
	pruneSegments = 4
)

// prune prunes if it is time. What it does not know any more, the stream has taken
// in.
func (s *Stream) prune(ctx context.Context) {
	if s.stages.Keep <= 0 || !s.pruned.IsZero() && time.Since(s.pruned) < min(pruneEvery, s.stages.Keep) {
		return
	}
	s.stages.pruneQuietly(ctx, pruneSegments)
	s.pruned = time.Now()
}
