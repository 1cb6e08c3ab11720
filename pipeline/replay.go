package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// Replay brings the sinks up to date with what is landed, from the positions
// that they hold, without asking the API for anything. A sink without a
// position is built anew. The error joins a *deliver.SinkError for each sink
// that was given up; the reports come in the order of the sinks.
func Replay(ctx context.Context, s Stages) ([]deliver.Report, error) {
	if s.Known != nil {
		if err := s.Known.Advance(ctx); err != nil {
			return nil, fmt.Errorf("working out what has changed: %w", err)
		}
	}
	landed := make(chan struct{})
	close(landed)
	reports := make([]deliver.Report, len(s.Sinks))
	errs := make([]error, len(s.Sinks))
	var delivering sync.WaitGroup
	for i, o := range s.Sinks {
		delivering.Go(func() {
			d := deliver.New(o, deliver.Options{
				Journal: s.Journal, Reader: s.Reader, Base: s.Base, Changes: s.changes(), Landed: landed,
				Logger: s.Logger, Attempts: deliveryAttempts, Backoff: deliveryBackoff,
			})
			errs[i] = d.Run(ctx)
			reports[i] = d.Report()
		})
	}
	delivering.Wait()
	return reports, errors.Join(errs...)
}
