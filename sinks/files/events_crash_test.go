package files

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	jn "github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// eventScenario is a commit of events that follows on something.
type eventScenario struct {
	name         string
	before, rows int  // events committed before, and now
	idle         int  // records without events between
	strays       bool // before is of manifests that are gone
}

// TestEventsCrashAtEachStep crashes at each step of a commit, then at each step
// of the recovery from that. What is there by name afterwards is what the
// position says.
func TestEventsCrashAtEachStep(t *testing.T) {
	for _, sc := range []eventScenario{
		{name: "first", rows: 2},
		{name: "after rows", before: 2, rows: 2},
		{name: "after idling", before: 3, idle: 2, rows: 4},
		{name: "without rows", before: 3, idle: 2},
		{name: "beside strays", before: 2, rows: 2, strays: true},
	} {
		t.Run(sc.name, func(t *testing.T) {
			for n := 1; crashEvents(t, sc, n); n++ {
			}
		})
	}
}

// crashEvents lets the nth step of the commit fail, and each step of the
// recovery. It reports whether there was an nth step.
func crashEvents(t *testing.T, sc eventScenario, n int) bool {
	for m := 1; ; m++ {
		var f sinktest.FailingSteps
		dir := sinktest.Folder(t)
		sp := eventSpec(dir)
		sp.Step = f.Step
		first := stretch(0, sc.before)
		if sc.before > 0 {
			mustAdd(t, mustOpenEvents(t, sp), sc.before)
		}
		s := mustOpenEvents(t, sp)
		old := at(streamID, sc.before)
		switch {
		case sc.strays:
			forget(t, dir)
			s, old = mustOpenEvents(t, sp), deliver.Position{}
		case sc.idle > 0:
			old.Next += jn.Seq(sc.idle)
			if _, err := add(t.Context(), s, nil, old, false); err != nil {
				t.Fatal(err)
			}
		case sc.before == 0:
			old = deliver.Position{}
		}
		rows, next := stretch(100, 100+sc.rows), at(streamID, 100+sc.rows)

		f.From(n)
		_, err := add(t.Context(), s, rows, next, true)
		hit := f.Tried() >= n
		f.From(m)
		if s, err := OpenEvents(t.Context(), sp); err == nil {
			eventPosition(t, s)
		}
		recovered := f.Tried() < m
		f.From(0)

		s = mustOpenEvents(t, sp)
		p := eventPosition(t, s)
		wantNoTemps(t, dir)
		if p == old && err != nil {
			if got := readEvents(t, dir); !same(got, inDates(first)) {
				t.Fatalf("step %d, then %d: the files hold %v", n, m, got)
			}
			if _, err := add(t.Context(), s, rows, next, false); err != nil { // it goes on from there
				t.Fatal(err)
			}
		} else if p != next {
			t.Fatalf("step %d, then %d: commit said %v, and the position is %+v", n, m, err, p)
		}
		if sc.strays {
			first = nil // they were set aside
		}
		if got := readEvents(t, dir); !same(got, inDates(append(first, rows...))) {
			t.Fatalf("step %d, then %d: the files hold %v in the end", n, m, got)
		}
		if sc.strays && count(t, dir, supersededSuffix) == 0 {
			t.Fatal("what was there before is nowhere any more")
		}
		if recovered {
			return hit
		}
	}
}

// count says how many files under dir end so.
func count(t testing.TB, dir, suffix string) (n int) {
	t.Helper()
	for _, path := range tree(t, dir) {
		if strings.HasSuffix(path, suffix) {
			n++
		}
	}
	return n
}

// A step that fails once, and a process that lives on: after the rollback the
// same sink tells what came of the commit, and goes on from there.
func TestEventsFailureThatPasses(t *testing.T) {
	for _, strays := range []bool{false, true} {
		for n := 1; ; n++ {
			dir := sinktest.Folder(t)
			steps, armed := 0, false
			sp := eventSpec(dir)
			sp.Step = func(string, string) error {
				if steps++; armed && steps == n {
					return errors.New("a step failed for the test")
				}
				return nil
			}
			mustAdd(t, mustOpenEvents(t, sp), 3)
			if strays {
				forget(t, dir)
			}
			s := mustOpenEvents(t, sp)
			before := eventPosition(t, s)
			steps, armed = 0, true
			_, err := add(t.Context(), s, stretch(int(before.Next), 7), at(streamID, 7), false)
			hit := steps >= n
			armed = false

			p := eventPosition(t, s)
			if p != at(streamID, 7) && (p != before || err == nil) {
				t.Fatalf("step %d: commit said %v, and the position is %+v", n, err, p)
			}
			wantNoTemps(t, dir)
			if p == before {
				mustAdd(t, s, 7)
			}
			wantStream(t, dir, 7)
			mustAdd(t, s, 12)
			wantStream(t, dir, 12)
			wantChain(t, dir, 12)
			if !hit {
				break
			}
		}
	}
}

// forget removes the manifests, as is done to have events written anew.
func forget(t testing.TB, dir string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, manifestFolder)); err != nil {
		t.Fatal(err)
	}
}

// TestEventsModel runs streams that are interrupted at any step of the file
// system, rolled back, and opened again. Whatever happened, the files hold the
// events before the position, each once, and of each date in their order.
func TestEventsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := sinktest.Folder(t)
		var f sinktest.FailingSteps
		sp := eventSpec(dir)
		sp.Step = f.Step
		if rapid.Bool().Draw(rt, "large files") {
			sp.Format = manyIDs
		}
		s := mustOpenEvents(t, sp)
		at0 := 0 // the position
		rt.Repeat(map[string]func(*rapid.T){
			"commit": func(rt *rapid.T) {
				n := rapid.IntRange(0, 8).Draw(rt, "rows")
				next := at(streamID, at0+n)
				die := rapid.Bool().Draw(rt, "dies")
				f.From(rapid.IntRange(0, 60).Draw(rt, "fails at"))
				_, err := add(t.Context(), s, stretch(at0, at0+n), next, die)
				f.From(0)
				if err == nil {
					at0 += n
					return
				}
				s = mustOpenEvents(t, sp)
				p := eventPosition(t, s)
				if p != next && int(p.Next) != at0 {
					rt.Fatalf("the position is %+v, after %d and %d more", p, at0, n)
				}
				at0 = int(p.Next)
			},
			"roll back": func(rt *rapid.T) {
				tx, err := s.Begin(t.Context(), deliver.Whole)
				if err != nil {
					rt.Fatal(err)
				}
				if err := tx.Write(t.Context(), stretch(at0, at0+rapid.IntRange(0, 30).Draw(rt, "rows"))); err != nil {
					rt.Fatal(err)
				}
				if rapid.Bool().Draw(rt, "dies") {
					s = mustOpenEvents(t, sp)
				} else if err := tx.Rollback(); err != nil {
					rt.Fatal(err)
				}
			},
			"open": func(rt *rapid.T) {
				f.From(rapid.IntRange(0, 10).Draw(rt, "fails at"))
				if again, err := OpenEvents(t.Context(), sp); err == nil {
					s = again
				}
				f.From(0)
				if s.open != nil {
					rt.Fatal("a transaction is open")
				}
			},
			"": func(*rapid.T) {
				wantNoTemps(t, dir)
				wantStream(t, dir, at0)
				if list := manifestsOf(t, dir, streamID); len(list) > 0 {
					wantChain(t, dir, at0)
				}
				if p := eventPosition(t, s); int(p.Next) != at0 {
					rt.Fatalf("position %+v, want %d", p, at0)
				}
			},
		})
	})
}

// The same rows make the same files, whatever pieces they come in, also where
// more dates are written to than files may be open.
func TestEventsSameBytes(t *testing.T) {
	rows := stretchOfDates(2000, 50)
	var want map[string]string
	for _, most := range []int{2000, 1, 17, 300} {
		dir := sinktest.Folder(t)
		s := mustOpenEvents(t, eventSpec(dir))
		s.format = weighing(manyIDs, maxBufferedBytes/60)
		tx, err := s.Begin(t.Context(), deliver.Whole)
		if err != nil {
			t.Fatal(err)
		}
		for left := rows; len(left) > 0; {
			n := min(len(left), 1+rand.IntN(most))
			if err := tx.Write(t.Context(), left[:n]); err != nil {
				t.Fatal(err)
			}
			left = left[n:]
			wantBounded(t, tx.(*eventTransaction))
		}
		if _, err := tx.Commit(t.Context(), at(streamID, 1)); err != nil {
			t.Fatal(err)
		}
		got := snapshot(t, filepath.Join(dir, "marketplace=EBAY_DE"))
		if want == nil {
			want = got
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("in pieces of up to %d rows the files are others", most)
		}
		files, flushes := readEvents(t, dir), 0
		for date, leads := range files {
			files[date] = slices.DeleteFunc(leads, func(line string) bool { return line == flushed })
			flushes += len(leads) - len(files[date])
		}
		if dates := inDates(rows); !same(files, dates) || len(got) <= len(dates) || flushes == 0 {
			t.Fatalf("%d files of %d dates, flushed %d times, do not hold the rows in their order", len(got), len(dates), flushes)
		}
	}
}
