package deliver

import (
	"context"
	"iter"
	"runtime"

	"golang.org/x/sync/semaphore"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
)

// leadsAhead bounds the memory of what is flattened and not taken yet: so many leads,
// by what their pages have.
const leadsAhead = 3 * sliceLeads

// flattened is a slice and what it was flattened to.
type flattened struct {
	slice
	result flatten.Result
	err    error
	leads  int64 // of leadsAhead
}

// flattenAhead yields the slices in their order, flattened. It works ahead of the
// consumer, on as many slices at a time as there are processors and room for their
// leads: reading is half of all work, and must not wait while the consumer waits for
// a disk or a broker.
func flattenAhead(ctx context.Context, r *Reader, todo []slice) iter.Seq2[flattened, error] {
	return func(yield func(flattened, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		room := semaphore.NewWeighted(leadsAhead)
		// What is in the channel is being worked on; one more is before its entrance.
		begun := make(chan chan flattened, runtime.GOMAXPROCS(0)-1)
		go func() {
			defer close(begun)
			for _, s := range todo {
				leads := int64(min(s.page.leads, sliceLeads)) + 1
				if room.Acquire(ctx, leads) != nil {
					return
				}
				// Asking is done in order: who shares pages goes by that.
				rows := r.begin(s.page.seq, s.within)
				done := make(chan flattened, 1)
				go func() {
					result, err := rows()
					done <- flattened{s, result, err, leads}
				}()
				begun <- done
			}
		}()
		defer func() {
			stop()
			for done := range begun { // nothing is at work when this returns
				<-done
			}
		}()
		for done := range begun {
			f := <-done
			if f.err == nil {
				f.err = ctx.Err()
			}
			if !yield(f, f.err) || f.err != nil {
				return
			}
			room.Release(f.leads)
		}
		if err := ctx.Err(); err != nil {
			yield(flattened{}, err)
		}
	}
}
