package base

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

var day = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

// pruned is a state whose journal is pruned, and has one record in each segment.
type pruned struct {
	dir     string
	journal *journal.Journal
	store   *Store
}

func newPruned(t *testing.T) *pruned {
	t.Helper()
	p := &pruned{dir: t.TempDir()}
	var err error
	p.journal, err = journal.Open(p.dir, journal.Options{
		Identity: journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "http://localhost"}, SegmentBytes: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.store = openStore(t, p.journal)
	t.Cleanup(func() {
		if err := errors.Join(p.store.Close(), p.journal.Close()); err != nil {
			t.Error(err)
		}
	})
	p.append(t, journal.Record{Begin: &journal.Begin{ID: "s", Spec: "stream", Stream: true, Time: day}})
	return p
}

func openStore(t *testing.T, j *journal.Journal) *Store {
	t.Helper()
	s, err := Open(j, flatten.Flattener{Account: "acme", Marketplace: "EBAY_DE"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (p *pruned) append(t *testing.T, r journal.Record) {
	t.Helper()
	if _, err := p.journal.Append(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// land lands an answer that shows a lead of each of the seconds, at some second.
func (p *pruned) land(t *testing.T, at int, seconds ...int) {
	t.Helper()
	var body bytes.Buffer
	gz := gzip.NewWriter(&body)
	fmt.Fprint(gz, `{"classifiedLeads":[{"itemId":"1","responses":[`)
	for i, s := range seconds {
		if i > 0 {
			fmt.Fprint(gz, ",")
		}
		fmt.Fprintf(gz, `{"userId":"ann","submittedTime":%q}`, day.Add(time.Duration(s)*time.Second).Format(time.RFC3339))
	}
	fmt.Fprint(gz, `]}]}`)
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	n := len(seconds)
	p.append(t, journal.Record{Page: &journal.Page{
		Batch: "s", Window: window.New(day, day.Add(time.Minute)), Received: day.Add(time.Duration(at) * time.Second), Leads: n, TotalLeads: &n, Body: body.Bytes(),
	}})
}

// prune prunes all there is, and leaves one record that is none of a page.
func (p *pruned) prune(t *testing.T) {
	t.Helper()
	p.append(t, journal.Record{Gap: &journal.Gap{Batch: "s", Time: day}})
	if err := p.store.Prune(t.Context(), p.journal.End()-1, nil); err != nil {
		t.Fatal(err)
	}
}

func (p *pruned) until(t *testing.T) int {
	t.Helper()
	until, err := p.store.base.Until(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return int(until.Sub(day).Seconds())
}

// A base says when the last of its pages was received. One of before it did is read
// for when the newest content of it came, and the next one that is made of it says
// so again, even if the clock was set back since.
func TestUntil(t *testing.T) {
	p := newPruned(t)
	p.land(t, 100, 1, 2)
	p.land(t, 110, 1, 2, 3)
	p.land(t, 120, 1, 2, 3) // nothing new
	p.prune(t)
	if at := p.until(t); at != 120 {
		t.Errorf("the base goes until second %d", at)
	}
	p.store.base.past.Until = time.Time{}
	if at := p.until(t); at != 110 {
		t.Errorf("a base that does not say it goes until second %d", at)
	}
	p.land(t, 50, 1, 2, 3)
	p.prune(t)
	if at := p.until(t); at != 110 || p.store.base.past.Until.IsZero() {
		t.Errorf("the next base goes until second %d", at)
	}
	p.land(t, 130, 1, 2, 3)
	p.prune(t)
	if at := p.until(t); at != 130 {
		t.Errorf("the last base goes until second %d", at)
	}
}

// Of a base, leads are found by their ids and counted and told by their time,
// while another process reads it too.
func TestLooking(t *testing.T) {
	p := newPruned(t)
	p.land(t, 100, 1, 2, 3, 50)
	p.prune(t)
	j, err := journal.OpenReadOnly(p.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	beside := openStore(t, j)
	defer beside.Close()
	b, release := beside.Pin()
	defer release()
	if n, err := b.Count(t.Context(), day.Add(2*time.Second), day.Add(50*time.Second)); n != 2 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	told := 0
	for e, err := range b.Of(t.Context(), known.Scope{Window: window.New(day.Add(2*time.Second), day.Add(50*time.Second))}) {
		if err != nil {
			t.Fatal(err)
		}
		told++
		row, err := b.Row(&e)
		if err != nil || row.LeadVersion.Value != 1 {
			t.Errorf("the row of lead %s: %+v, %v", e.Lead, row, err)
		}
		if found, ok, err := b.Find(t.Context(), e.Lead); !ok || err != nil || found.ContentHash != row.ContentHash {
			t.Errorf("lead %s is found: %v, %v", e.Lead, ok, err)
		}
	}
	if told != 2 {
		t.Errorf("%d leads are told", told)
	}
	if _, found, err := b.Find(t.Context(), uuid.New()); found || err != nil {
		t.Errorf("a lead that there is not: %v, %v", found, err)
	}
}

// Who reads a base that is pruned away meanwhile is told that, and not of damage.
func TestPrunedMeanwhile(t *testing.T) {
	p := newPruned(t)
	p.land(t, 100, 1, 2, 3)
	p.prune(t)
	j, err := journal.OpenReadOnly(p.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	beside := openStore(t, j)
	defer beside.Close()
	if j.Outdated() {
		t.Error("nothing has happened since")
	}
	p.land(t, 110, 1, 2)
	p.prune(t)
	b, release := beside.Pin()
	defer release()
	_, err = b.Count(t.Context(), day, day.Add(time.Minute))
	if e, ok := errors.AsType[*journal.PrunedError](err); !ok || !j.Outdated() {
		t.Errorf("%v, %v", e, err)
	}
	_, err = Open(j, flatten.Flattener{}, slog.New(slog.DiscardHandler))
	if _, ok := errors.AsType[*journal.PrunedError](err); !ok {
		t.Errorf("opening what is gone: %v", err)
	}
}
