package files

import (
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// stretchOfDates are n events of so many dates, in turn and now and then not.
func stretchOfDates(n, dates int) []schema.Row {
	rows := stretch(0, n)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range rows {
		d := i / 3 % dates
		if rng.IntN(4) == 0 {
			d = rng.IntN(dates)
		}
		rows[i].SubmittedTime = schema.Some(time.Date(2026, 3, 1+d, 9, 0, 0, 0, time.UTC))
	}
	return rows
}

// weighing is a format whose encoders hold rows in memory, of so many bytes
// each, and mark where they were flushed.
func weighing(f Format, weight int) Format {
	encode := f.Encode
	f.Encode = func(w io.Writer) (Encoder, error) {
		e, err := encode(w)
		return &heavy{Encoder: e, weight: weight, w: w}, err
	}
	return f
}

type heavy struct {
	Encoder
	weight, rows int
	w            io.Writer
}

func (e *heavy) Write(rows []schema.Row) (int, error) {
	n, err := e.Encoder.Write(rows)
	e.rows += n
	return n, err
}

func (e *heavy) Buffered() int { return e.rows * e.weight }

func (e *heavy) Flush() error {
	e.rows = 0
	_, err := io.WriteString(e.w, flushed+"\n")
	return err
}

const flushed = "-- flushed"

// wantBounded fails the test if more files are open, or more is in memory, than
// should be. What the last file was given since the date changed comes on top.
func wantBounded(t *testing.T, tx *eventTransaction) {
	t.Helper()
	if len(tx.open) > maxOpenParts {
		t.Fatalf("%d files are open", len(tx.open))
	}
	sum := 0
	for _, p := range tx.open[:len(tx.open)-1] {
		sum += p.encoder.Buffered()
	}
	if sum > maxBufferedBytes {
		t.Fatalf("%d bytes are in memory besides the last file's", sum)
	}
}

// A month's dates in turn stay open; more are within the bound all the same.
func TestOpenFilesAreBounded(t *testing.T) {
	for dates, want := range map[int]int{1: 1, 31: 31, maxOpenParts: maxOpenParts, 40: 0} {
		s := mustOpenEvents(t, eventSpec(t.TempDir()))
		s.format = manyIDs
		tx, err := s.Begin(t.Context(), deliver.Whole)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range stretchOfDates(1000, dates) {
			if err := tx.Write(t.Context(), []schema.Row{r}); err != nil {
				t.Fatal(err)
			}
			wantBounded(t, tx.(*eventTransaction))
		}
		r, err := tx.Commit(t.Context(), at(streamID, 1000))
		if err != nil {
			t.Fatal(err)
		}
		if want > 0 && r.Files != want || want == 0 && r.Files <= dates {
			t.Errorf("%d files of %d dates", r.Files, dates)
		}
	}
}

// Where a stream catches up, date after date, few of the large files stay open, and
// each date is in one file.
func TestLargeFilesDoNotStayOpen(t *testing.T) {
	s := mustOpenEvents(t, eventSpec(t.TempDir()))
	s.format = manyIDs
	tx, err := s.Begin(t.Context(), deliver.Whole)
	if err != nil {
		t.Fatal(err)
	}
	const dates = 3 * maxLargeParts
	for i, r := range stretch(0, dates) {
		r.SubmittedTime = schema.Some(time.Date(2026, 3, 1+i, 9, 0, 0, 0, time.UTC))
		rows := slices.Repeat([]schema.Row{r}, largeRows)
		if err := tx.Write(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		if n := len(tx.(*eventTransaction).open); n > maxLargeParts+1 {
			t.Fatalf("%d files are open after %d dates", n, i+1)
		}
	}
	r, err := tx.Commit(t.Context(), at(streamID, 1000))
	if err != nil {
		t.Fatal(err)
	}
	if r.Files != dates {
		t.Errorf("%d files of %d dates", r.Files, dates)
	}
}
