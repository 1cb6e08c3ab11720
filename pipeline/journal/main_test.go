package journal

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

func TestMain(m *testing.M) {
	// The tests of crashes start this binary again as the process that crashes.
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir, os.Getenv(childRound)))
	}
	goleak.VerifyTestMain(m)
}

var (
	seller = Identity{Account: "main", Marketplace: "EBAY_DE", API: "https://api.example.com/sell/leads/v1"}
	epoch  = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
)

// unsynced is the file system without its syncs, for tests that open many
// journals and cut no power: there they change nothing but the time.
type unsynced struct{ osFiles }

func (u unsynced) create(path string) (segmentFile, error) {
	f, err := u.osFiles.create(path)
	return unsyncedFile{f}, err
}

func (u unsynced) open(path string) (segmentFile, error) {
	f, err := u.osFiles.open(path)
	return unsyncedFile{f}, err
}

func (unsynced) syncDir(string) error { return nil }

type unsyncedFile struct{ segmentFile }

func (unsyncedFile) Sync() error { return nil }

// body returns size bytes that depend on n alone.
func body(n, size int) []byte {
	b := make([]byte, size)
	chacha := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
	chacha.Read(b)
	return b
}

// pageOf returns the n-th page of the tests; n is in every field.
func pageOf(batch string, n, size int) *Page {
	from := epoch.Add(time.Duration(n) * time.Minute)
	total := n
	return &Page{
		Batch:      batch,
		Query:      Query{Item: fmt.Sprint("item-", n%3), Messages: n%2 == 0},
		Window:     window.New(from, from.Add(time.Minute)),
		Request:    fmt.Sprintf("GET /classified_lead?n=%d", n),
		RequestID:  fmt.Sprint("request-", n),
		Received:   epoch.Add(time.Duration(n) * time.Millisecond),
		Items:      n,
		Leads:      2 * n,
		TotalLeads: &total,
		Warnings:   []string{"1: as 'ever' — ✓"},
		Body:       body(n, size),
	}
}

// recordOf returns the n-th record of the tests, which is a page most of the
// time.
func recordOf(n, size int) Record {
	at := epoch.Add(time.Duration(n) * time.Second)
	switch n % 7 {
	case 0:
		return Record{Begin: &Begin{ID: fmt.Sprint("batch-", n), Spec: "last 720h", Range: window.New(at, at.Add(time.Hour)), Queries: []Query{{Messages: true}}, Time: at}}
	case 3:
		return Record{Gap: &Gap{Batch: fmt.Sprint("batch-", n), Query: Query{Status: "Answered"}, Window: window.New(at, at.Add(time.Second)), Reason: "350000", Time: at}}
	case 5:
		return Record{Poll: &Poll{Batch: fmt.Sprint("batch-", n-5), Query: Query{Messages: true}, Windows: []window.Window{window.New(at, at.Add(time.Hour))}, Received: at}}
	case 6:
		return Record{End: &End{Batch: fmt.Sprint("batch-", n-6), Time: at}}
	default:
		return Record{Page: pageOf(fmt.Sprint("batch-", n-n%7), n, size)}
	}
}

// tester is what the helpers need of a test, which may be one of rapid's.
type tester interface {
	rapid.TB
	Cleanup(func())
	Context() context.Context
}

// scratch returns an empty folder that goes with the test.
func scratch(t tester) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func open(t tester, dir string, o Options) *Journal {
	t.Helper()
	if o.Identity == (Identity{}) {
		o.Identity = seller
	}
	j, err := Open(dir, o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func appendAll(t tester, j *Journal, records ...Record) {
	t.Helper()
	for _, r := range records {
		want := j.End()
		seq, err := j.Append(t.Context(), r)
		if err != nil {
			t.Fatalf("Append: %v", err)
		}
		if seq != want {
			t.Fatalf("Append returned record %d, want %d", seq, want)
		}
	}
}

// records returns n records with bodies of up to size bytes.
func records(n, size int) []Record {
	all := make([]Record, n)
	for i := range all {
		all[i] = recordOf(i, size*(i%5+1)/5)
	}
	return all
}

// contents reads everything in a journal, with bodies.
func contents(j *Journal) ([]Record, error) {
	var all []Record
	for r, err := range j.Records(background, j.index.first()) {
		if err != nil {
			return all, err
		}
		if r.Page != nil {
			if r.Page, err = j.Page(r.Seq); err != nil {
				return all, err
			}
		}
		all = append(all, r)
	}
	return all, nil
}

// same compares a record that was read with the one that was appended.
func same(got, want Record) error {
	gotFrame, err := encode(got)
	if err != nil {
		return err
	}
	wantFrame, err := encode(want)
	if err != nil {
		return err
	}
	if !bytes.Equal(gotFrame.meta, wantFrame.meta) {
		return fmt.Errorf("record %d is %s, want %s", got.Seq, gotFrame.meta, wantFrame.meta)
	}
	if !bytes.Equal(gotFrame.body, wantFrame.body) {
		return fmt.Errorf("record %d has another body (%d bytes, want %d)", got.Seq, len(gotFrame.body), len(wantFrame.body))
	}
	return nil
}

// holds checks that the journal holds exactly these records, from number 0.
func holds(t tester, j *Journal, want []Record) {
	t.Helper()
	got, err := contents(j)
	if err != nil {
		t.Fatalf("read the journal: %v", err)
	}
	if len(got) != len(want) {
		t.Fatalf("the journal holds %d records, want %d", len(got), len(want))
	}
	if j.End() != Seq(len(want)) {
		t.Fatalf("End is %d, want %d", j.End(), len(want))
	}
	for i := range got {
		if got[i].Seq != Seq(i) {
			t.Fatalf("record %d came as number %d", got[i].Seq, i)
		}
		if err := same(got[i], want[i]); err != nil {
			t.Fatal(err)
		}
	}
}

// segmentPaths returns the segments of a state folder, in order.
func segmentPaths(t tester, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, journalFolder, "*"+segmentSuffix))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
