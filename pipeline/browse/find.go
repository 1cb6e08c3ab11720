package browse

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// BadIDError says that a text is no id of a lead.
type BadIDError struct{ error }

// NotFoundError says that no landed page shows a lead with that id.
type NotFoundError struct {
	ID string
	// Renamed says that pruned pages showed one: what became of it when its buyer was
	// renamed went with them.
	Renamed bool
}

func (e *NotFoundError) Error() string {
	if e.Renamed {
		return fmt.Sprintf("the lead with the id %s goes by another one since its buyer was renamed, and by which one was pruned from the journal (state.keep): ask for it by the lead_id that the stream's events of it have", e.ID)
	}
	return fmt.Sprintf("no landed page shows a lead with the id %s", e.ID)
}

// errFound ends a search.
var errFound = errors.New("found")

// parseID reads an id of a lead, and refuses what is none with *BadIDError before all
// is searched for it.
func parseID(text string) (uuid.UUID, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	id, err := uuid.Parse(text)
	if err != nil || len(text) != len(uuid.Nil.String()) {
		return id, &BadIDError{fmt.Errorf("%q is no lead id: it is the column lead_id, such as 4a3b8756-d967-5b55-a854-1b75ab7a6314", text)}
	}
	return id, nil
}

// find returns the scope in which the lead is: an id does not tell its time, so
// pages are searched for it, the newest first, and then what stands for those that
// are pruned.
func (l *Landed) find(ctx context.Context, id uuid.UUID) (known.Scope, error) {
	var mu sync.Mutex
	var found schema.Row
	searching, within := errgroup.WithContext(ctx)
	searching.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range slices.Backward(l.journal.Pages()) {
		if within.Err() != nil {
			break
		}
		searching.Go(func() error {
			row, ok, err := l.shows(within, p, id.String())
			if err != nil || !ok {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			found = row
			return errFound
		})
	}
	err := searching.Wait()
	switch {
	case errors.Is(err, errFound):
		return scopeOf(&found), nil
	case err != nil:
		return known.Scope{}, err
	case ctx.Err() != nil:
		return known.Scope{}, ctx.Err()
	}
	return l.findPruned(ctx, id)
}

// findPruned looks for a lead among those of the pruned pages.
func (l *Landed) findPruned(ctx context.Context, id uuid.UUID) (known.Scope, error) {
	b, release := l.base.Pin()
	defer release()
	row, found, err := b.Find(ctx, id)
	if err != nil {
		return known.Scope{}, fmt.Errorf("searching for a lead among those of pruned pages: %w", err)
	}
	if !found {
		return known.Scope{}, &NotFoundError{ID: id.String()}
	}
	return scopeOf(&row), nil
}

// shows looks for a lead on a page, slice by slice of a large one.
func (l *Landed) shows(ctx context.Context, p journal.PageRef, id string) (schema.Row, bool, error) {
	for _, w := range slicesOf(p) {
		if err := ctx.Err(); err != nil {
			return schema.Row{}, false, err
		}
		result, err := l.view.Reader().Page(p.Seq, w)
		if err != nil {
			return schema.Row{}, false, err
		}
		for _, rows := range [][]schema.Row{result.Rows, result.Undated} {
			if i := slices.IndexFunc(rows, func(r schema.Row) bool { return r.LeadID == id }); i >= 0 {
				return rows[i], true, nil
			}
		}
	}
	return schema.Row{}, false, nil
}

// sliceLeads bounds the rows of a page in memory.
const sliceLeads = 4_000

func slicesOf(p journal.PageRef) []window.Window {
	n := int64(p.Leads/sliceLeads + 1)
	width := max(1, (int64(p.Window.Length()/window.Second)+n-1)/n)
	var all []window.Window
	for w := p.Window; !w.Empty(); {
		part := w
		if to := w.From.Add(time.Duration(width) * window.Second); to.Before(w.To) {
			part.To = to
		}
		all = append(all, part)
		w.From = part.To
	}
	return all
}

// scopeOf is the second in which the lead was submitted, with all that could be
// taken for it.
func scopeOf(r *schema.Row) known.Scope {
	if !r.SubmittedTime.Valid {
		return known.Scope{Undated: true}
	}
	t := r.SubmittedTime.Value
	return known.Scope{Window: window.New(t, t.Add(window.Second))}
}
