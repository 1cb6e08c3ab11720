package fetch

import (
	"context"
	"sync"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// task is one window of one job.
type task struct {
	job    *Job
	window window.Window
}

// queue hands windows to workers and ends when none is left: neither waiting,
// nor in work (a window in work may still come back as two).
//
// Halves of split windows wait in the order in which they came, not as a stack:
// siblings are tried before their own halves, so that one bad second does not
// show as an unbroken row of failures all the way down.
type queue struct {
	mu      sync.Mutex
	first   []task // cut already: gaps of earlier runs, halves of split windows
	rest    []task // ranges from which windows are still to be cut
	working int
	closed  bool
	changed chan struct{} // closed, and made anew, with every change
}

func newQueue(jobs []*Job) *queue {
	q := &queue{changed: make(chan struct{})}
	for _, j := range jobs {
		for _, w := range j.Retry {
			q.first = append(q.first, task{j, w})
		}
		for _, w := range j.Missing {
			if !w.Empty() {
				q.rest = append(q.rest, task{j, w})
			}
		}
	}
	return q
}

// next blocks until there is a window to fetch. It reports false when the work
// is done, the queue was closed, or the context has ended. Each task that it
// hands out must be given back by done or split.
func (q *queue) next(ctx context.Context) (task, bool) {
	for {
		q.mu.Lock()
		if q.closed || ctx.Err() != nil {
			q.mu.Unlock()
			return task{}, false
		}
		if t, ok := q.take(); ok {
			q.working++
			q.mu.Unlock()
			return t, true
		}
		if q.working == 0 {
			q.mu.Unlock()
			return task{}, false
		}
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return task{}, false
		}
	}
}

// take cuts the next window off what waits first. Halves are cut as well where
// windows have turned out to be narrower since: what failed for its width need
// not fail again, half by half.
func (q *queue) take() (task, bool) {
	for _, waiting := range []*[]task{&q.first, &q.rest} {
		if len(*waiting) == 0 {
			continue
		}
		t := (*waiting)[0]
		var remaining window.Window
		t.window, remaining = t.job.Sizer.Next(t.window)
		if remaining.Empty() {
			*waiting = (*waiting)[1:]
		} else {
			(*waiting)[0].window = remaining
		}
		return t, true
	}
	return task{}, false
}

// done gives back a task that is dealt with; halves, if any, take its place.
func (q *queue) done(t task, halves ...window.Window) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range halves {
		q.first = append(q.first, task{t.job, w})
	}
	q.working--
	q.signal()
}

// close makes next report false from now on. What is in work may still be
// given back.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

func (q *queue) signal() {
	close(q.changed)
	q.changed = make(chan struct{})
}
