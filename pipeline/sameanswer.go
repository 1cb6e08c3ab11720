package pipeline

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// sameAnswers spares the comparison of answers with the known leads where the
// very bytes were compared before: most windows of an idle stream. It is safe for
// concurrent use.
//
// The sum of an answer is kept from when it held what was known until a page is
// landed that may have changed that.
type sameAnswers struct {
	compare func(context.Context, *journal.Page) (bool, error)

	mu   sync.Mutex
	sums map[asked][sha256.Size]byte
}

type asked struct {
	query  journal.Query
	window window.Window
}

func newSameAnswers(compare func(context.Context, *journal.Page) (bool, error)) *sameAnswers {
	return &sameAnswers{compare: compare, sums: make(map[asked][sha256.Size]byte)}
}

// maxSums bounds the memory, at some 150 bytes each.
const maxSums = 20_000

// known is a fetch.Known.
func (s *sameAnswers) known(ctx context.Context, page *journal.Page) (bool, error) {
	at, sum := asked{page.Query, page.Window}, sha256.Sum256(page.Body)
	s.mu.Lock()
	before, ok := s.sums[at]
	s.mu.Unlock()
	if ok && before == sum {
		return true, nil
	}
	same, err := s.compare(ctx, page)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !same {
		s.outdated(page)
		return false, nil
	}
	if len(s.sums) >= maxSums {
		clear(s.sums)
	}
	s.sums[at] = sum
	return true, nil
}

// outdated forgets what the page, which is about to be landed, may change: any
// answer can show a lead without a time.
func (s *sameAnswers) outdated(page *journal.Page) {
	if page.Undated > 0 {
		clear(s.sums)
		return
	}
	// A lead without a certain time may belong to the second beside the window.
	around := window.Window{From: page.Window.From.Add(-window.Second), To: page.Window.To.Add(window.Second)}
	for at := range s.sums {
		if at.window.Overlaps(around) {
			delete(s.sums, at)
		}
	}
}
