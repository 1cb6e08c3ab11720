package known

import (
	"bytes"
	"context"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// batchBytes is the size at which what a page changed is committed, so that
// memory does not grow with the page. A commit that would take more than half of a
// memory table, where its entries are larger, Pebble writes as a table of its own, and
// then merges those all the time: with memory tables of 2 MiB, the store of 1,000,000
// leads took 27 s of CPU time with commits of 256 KiB, and 41 s with larger ones. With
// those of 4 MiB it is 22 s, of this size and of twice that.
const batchBytes = 512 << 10

// Advance takes in all records that are landed by now. What it took in before an
// error stays, and the next call goes on there. Calls wait for each other.
func (s *Store) Advance(ctx context.Context) error {
	return s.AdvanceTo(ctx, s.options.Journal.End())
}

// AdvanceTo is Advance for the records before to.
func (s *Store) AdvanceTo(ctx context.Context, to journal.Seq) error {
	s.advancing.Lock()
	defer s.advancing.Unlock()
	if err := s.failing.error(); err != nil {
		return s.checked(fmt.Errorf("the store of known leads cannot be written: %w", err))
	}
	return s.checked(s.advance(ctx, to))
}

func (s *Store) advance(ctx context.Context, to journal.Seq) error {
	for r, err := range s.options.Journal.Records(ctx, s.Position()) {
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		if r.Seq >= to {
			break
		}
		switch {
		case r.Page != nil:
			err = s.page(ctx, r.Seq, r.Page)
		case r.Begin != nil && r.Begin.Stream && !s.streams[r.Begin.ID]:
			err = s.begin(r.Seq, r.Begin.ID)
		default:
			// Not worth a write: it is passed over again after a crash.
			s.moved(s.past(r.Seq))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// past is the position behind a record.
func (s *Store) past(seq journal.Seq) position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return position{next: seq + 1, second: atStart, Stats: s.at.Stats}
}

// begin remembers that a batch is a stream.
func (s *Store) begin(seq journal.Seq, id string) error {
	b := s.db.NewBatch()
	defer b.Close()
	if err := b.Set(append([]byte{streamKind}, id...), nil, nil); err != nil {
		return fmt.Errorf("writing known leads: %w", err)
	}
	if err := s.commit(b, s.past(seq)); err != nil {
		return err
	}
	s.streams[id] = true
	return nil
}

// intake takes in one page.
type intake struct {
	store *Store
	page  *journal.Page
	seq   journal.Seq
	at    position // of what is in the batch or committed
	slice int64    // the second at which the slice begins that is taken in
	batch *pebble.Batch
	key   []byte
	value []byte
	known []byte
}

// page takes in what is left of a page, slice by slice.
func (s *Store) page(ctx context.Context, seq journal.Seq, p *journal.Page) error {
	within, concerned := s.options.Scope.of(p)
	// Where leads of no certain time are known, any page may rule out where they are.
	if !concerned && s.Stats().Undated == 0 {
		s.moved(s.past(seq))
		return nil
	}
	in := &intake{store: s, page: p, seq: seq, at: s.past(seq), batch: s.db.NewBatch()}
	in.at.next = seq
	s.mu.Lock()
	if s.at.next == seq {
		in.at.second = s.at.second
	}
	s.mu.Unlock()
	defer func() { in.batch.Close() }()
	slices := slicesOf(within, p.Leads, s.options.sliceLeads)
	for i, w := range slices {
		last := i == len(slices)-1
		taken := in.at.second != atStart && w.To.Unix() <= in.at.second
		if taken && !last {
			continue
		}
		result, err := s.options.Pages.Page(seq, w)
		if err != nil {
			return err
		}
		s.options.Scope.cut(&result)
		if !taken {
			err = in.take(ctx, w, result)
		}
		switch {
		case err != nil:
		case last:
			err = in.end(ctx, w, result)
		default:
			err = in.commit(w.To.Unix())
		}
		if err != nil {
			return fmt.Errorf("comparing landed page %d with the known leads: %w", seq, err)
		}
	}
	// The last word: the page is taken in.
	in.at.next, in.at.second = seq+1, atStart
	return s.commit(in.batch, in.at)
}

// take takes in a slice, or what is left of it.
func (in *intake) take(ctx context.Context, w window.Window, result flatten.Result) error {
	s := in.store
	in.slice = w.From.Unix()
	r, err := in.reading(ctx, result)
	if err != nil {
		return err
	}
	if in.at.second == atStart {
		if len(result.Undated) > 0 {
			rows, err := readRows(result.Undated, true)
			if err != nil {
				return err
			}
			if err := newDeriver(r, s.db, in.at.Undated > 0, in.tell).undated(ctx, rows); err != nil {
				return err
			}
			if err := in.commit(in.slice); err != nil { // what follows has to see it
				return err
			}
		}
		in.at.second = in.slice
	}
	from := max(in.slice, in.at.second)
	rows, err := readRows(result.Rows, false)
	if err != nil {
		return err
	}
	for len(rows) > 0 && rows[0].group.second() < from {
		rows = rows[1:]
	}
	d := newDeriver(r, s.db, in.at.Undated > 0, in.tell)
	d.pass = func(second int64) error {
		if in.batch.Len() < s.options.batchBytes {
			return nil
		}
		return in.commit(second)
	}
	return d.between(ctx, rows, from, w.To.Unix())
}

// reading is what the page says of itself. A lead that is missing may be among the
// dead letters, but not among those that were there before.
func (in *intake) reading(ctx context.Context, result flatten.Result) (reading, error) {
	r := readingOf(in.seq, in.page, in.store.streams[in.page.Batch], in.store.options.Journal.Losses())
	r.landed = true
	dead, err := deadKnown(in.store.db, result.Dead)
	if err == nil && !dead && in.store.options.Scope != nil {
		dead, err = in.deadOutOfScope(ctx, result.Dead)
	}
	r.whole = r.whole && dead
	return r, err
}

// end takes in what only the whole page says, after its last slice: which leads of
// no certain time it does not show, and its dead letters.
func (in *intake) end(ctx context.Context, w window.Window, result flatten.Result) error {
	if in.at.Undated > 0 && in.at.Undated <= maxUndated {
		in.slice = w.From.Unix()
		r, err := in.reading(ctx, result)
		if err != nil {
			return err
		}
		if err := in.commit(w.To.Unix()); err != nil { // what follows has to see it
			return err
		}
		if err := newDeriver(r, in.store.db, true, in.tell).missing(ctx); err != nil {
			return err
		}
	}
	return in.deadLetters(result)
}

// commit commits the batch: all before the second is taken in.
func (in *intake) commit(second int64) error {
	in.at.second = second
	if err := in.store.commit(in.batch, in.at); err != nil {
		return err
	}
	in.batch.Close()
	in.batch = in.store.db.NewBatch()
	return nil
}

// tell is the deriver's take.
func (in *intake) tell(known, now *lead, c *change) error {
	in.count(known, now)
	if in.store.options.Sighted != nil && !now.vanished {
		in.store.options.Sighted(now.id, in.seq)
	}
	if err := in.write(known, now); err != nil || c == nil {
		return err
	}
	in.at.Events++
	in.key = appendEventKey(in.key[:0], in.seq, in.slice, c, now)
	in.value = appendEvent(in.value[:0], c, now)
	return in.batch.Set(in.key, in.value, nil)
}

// write writes the lead's state, if it has become another.
func (in *intake) write(known, now *lead) error {
	in.value = now.appendValue(in.value[:0])
	if known != nil && known.space == now.space {
		if in.known = known.appendValue(in.known[:0]); bytes.Equal(in.known, in.value) {
			return nil
		}
	}
	if known != nil && known.space != now.space {
		in.key = appendLeadKey(in.key[:0], known)
		if err := in.batch.Delete(in.key, nil); err != nil {
			return err
		}
	}
	in.key = appendLeadKey(in.key[:0], now)
	return in.batch.Set(in.key, in.value, nil)
}

func (in *intake) count(known, now *lead) {
	if known != nil {
		in.at.Stats.add(known, -1)
	}
	in.at.Stats.add(now, 1)
}

// add counts a lead in, or out.
func (s *Stats) add(l *lead, n int) {
	if l.vanished {
		s.Vanished += n
	} else {
		s.Live += n
	}
	if l.space == undated {
		s.Undated += n
	}
}

// deadLetters notes what cannot be read, so that an answer with the very same
// need not be landed again.
func (in *intake) deadLetters(result flatten.Result) error {
	for i := range result.Dead {
		if err := in.batch.Set(deadKey(&result.Dead[i]), nil, nil); err != nil {
			return err
		}
	}
	return nil
}
