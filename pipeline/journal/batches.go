package journal

import (
	"slices"
	"time"
)

// BatchState is a batch as the journal knows it.
type BatchState struct {
	// Begin is the batch's newest Begin record.
	Begin Begin
	// Ended is set if an End record followed it; EndTime is that record's.
	Ended   bool
	EndTime time.Time
}

// Batches returns all batches in the order in which they were first begun. The
// slice is the caller's; what is in it must not be changed.
func (j *Journal) Batches() []BatchState {
	j.index.mu.RLock()
	defer j.index.mu.RUnlock()
	return j.index.batches.states()
}

// batchBook follows the batches through the records, which it is given in
// order.
type batchBook struct {
	list []BatchState
	byID map[string]int
}

func (b *batchBook) begin(begin Begin) {
	if i, ok := b.byID[begin.ID]; ok {
		b.list[i] = BatchState{Begin: begin}
		return
	}
	if b.byID == nil {
		b.byID = map[string]int{}
	}
	b.byID[begin.ID] = len(b.list)
	b.list = append(b.list, BatchState{Begin: begin})
}

// end closes a batch. One whose beginning is not in the journal (any more) is
// of no interest.
func (b *batchBook) end(end End) {
	if i, ok := b.byID[end.Batch]; ok {
		b.list[i].Ended, b.list[i].EndTime = true, end.Time
	}
}

func (b *batchBook) states() []BatchState { return slices.Clone(b.list) }
