package pipeline_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	epoch   = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	queries = pipeline.Queries(nil, "", true)
)

func at(second int) time.Time { return epoch.Add(time.Duration(second) * time.Second) }

// api has one lead in every nth second. fails decides which windows fail.
type api struct {
	every int
	fails func(w window.Window) error
	calls atomic.Int64
}

func (a *api) Fetch(ctx context.Context, w window.Window, q journal.Query) (*journal.Page, error) {
	a.calls.Add(1)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if a.fails != nil {
		if err := a.fails(w); err != nil {
			return nil, err
		}
	}
	var responses []string
	for s := w.From; s.Before(w.To); s = s.Add(window.Second) {
		if n := int(s.Sub(epoch) / time.Second); n >= 0 && n%a.every == 0 {
			responses = append(responses, fmt.Sprintf(`{"submittedTime":%q,"userId":"buyer-%d"}`, s.Format(time.RFC3339), n))
		}
	}
	var body bytes.Buffer
	gz := gzip.NewWriter(&body)
	fmt.Fprintf(gz, `{"classifiedLeads":[{"itemId":"1","responses":[%s]}],"totalLeads":%d}`, strings.Join(responses, ","), len(responses))
	if err := gz.Close(); err != nil {
		return nil, err
	}
	return &journal.Page{Query: q, Window: w, Leads: len(responses), Received: epoch, Body: body.Bytes()}, nil
}

// exporter is a state folder and two destinations that outlive runs.
type exporter struct {
	t            testing.TB
	dir          string
	files, topic *delivertest.Store
}

func newExporter(t testing.TB) *exporter {
	return &exporter{t, t.TempDir(), delivertest.NewStore(deliver.Replace), delivertest.NewStore(deliver.Append)}
}

// run exports [from, to) seconds.
func (e *exporter) run(ctx context.Context, source fetch.Source, from, to int, restart bool) (pipeline.Plan, pipeline.Summary, error) {
	e.t.Helper()
	j := e.open()
	defer j.Close()
	request, err := pipeline.Between(at(from), at(to), at(1_000_000), queries)
	if err != nil {
		e.t.Fatal(err)
	}
	request.Restart = restart
	batch, err := pipeline.NewBatch(ctx, e.stages(j, source), request)
	if err != nil {
		e.t.Fatal(err)
	}
	plan := batch.Plan()
	summary, err := batch.Run(ctx)
	return plan, summary, err
}

func (e *exporter) open() *journal.Journal {
	e.t.Helper()
	j, err := journal.Open(e.dir, journal.Options{
		Identity: journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "http://localhost"}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return j
}

func (e *exporter) stages(j *journal.Journal, source fetch.Source) pipeline.Stages {
	logger := slog.New(slog.DiscardHandler)
	return pipeline.Stages{
		Source: source, Journal: j, Logger: logger,
		Reader: deliver.NewReader(j, flatten.Flattener{Account: "acme", Marketplace: "EBAY_DE"}, deliver.NewDeadLetters(e.dir+"/dead"), logger),
		Sinks:  []deliver.Opener{{Name: "files", Open: e.files.Open}, {Name: "topic", Open: e.topic.Open}},
		Fetch:  fetch.Config{Window: time.Hour, Concurrency: 3},
	}
}

// leads returns how often each lead is in the files and in the topic.
func (e *exporter) leads() (files, topic map[string]int) {
	files, topic = make(map[string]int), make(map[string]int)
	for _, p := range e.files.Partitions() {
		for _, r := range e.files.Rows(p) {
			files[r.UserID.Value]++
		}
	}
	for _, r := range e.topic.Rows(deliver.Whole) {
		topic[r.UserID.Value]++
	}
	return files, topic
}

// wantOnce asserts that both hold n leads, each once.
func (e *exporter) wantOnce(n int) {
	e.t.Helper()
	files, topic := e.leads()
	for name, leads := range map[string]map[string]int{"files": files, "topic": topic} {
		if len(leads) != n {
			e.t.Errorf("%s: %d leads, want %d", name, len(leads), n)
		}
		for lead, times := range leads {
			if times != 1 {
				e.t.Errorf("%s: %s is there %d times", name, lead, times)
			}
		}
	}
}

func TestABatchThatFinishedIsReadAgain(t *testing.T) {
	e := newExporter(t)
	source := &api{every: 10}
	for range 2 {
		plan, _, err := e.run(t.Context(), source, 0, 7200, false)
		if err != nil || plan.Resumed || plan.Missing != 2*time.Hour {
			t.Fatalf("plan %+v, error %v", plan, err)
		}
		e.wantOnce(720)
	}
}

func TestABatchWithAGapIsResumedForTheGapOnly(t *testing.T) {
	e := newExporter(t)
	bad := window.New(at(600), at(601))
	source := &api{every: 10, fails: func(w window.Window) error {
		if w.Overlaps(bad) {
			return &fetch.WindowError{Window: w, Err: errors.New("350000")}
		}
		return nil
	}}
	_, summary, err := e.run(t.Context(), source, 0, 7200, false)
	gaps, ok := errors.AsType[*pipeline.GapsError](err)
	if !ok || len(gaps.Gaps) != 1 || gaps.Gaps[0].Window != bad || len(summary.Gaps) != 1 {
		t.Fatalf("summary %+v, error %v", summary, err)
	}
	if want := "1 gap: " + bad.String(); err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	e.wantOnce(719)

	healed := &api{every: 10}
	plan, _, err := e.run(t.Context(), healed, 0, 7200, false)
	if err != nil || !plan.Resumed || plan.Gaps != 1 || plan.Calls != 1 || healed.calls.Load() != 1 {
		t.Fatalf("plan %+v, %d calls, error %v", plan, healed.calls.Load(), err)
	}
	e.wantOnce(720)
}

// Gaps that a batch left are tried by the next one, even over another range.
func TestGapsOfAnotherRangeAreTriedFirst(t *testing.T) {
	e := newExporter(t)
	bad := window.New(at(600), at(601))
	_, _, err := e.run(t.Context(), &api{every: 10, fails: func(w window.Window) error {
		if w.Overlaps(bad) {
			return &fetch.WindowError{Window: w, Err: errors.New("350000")}
		}
		return nil
	}}, 0, 3600, false)
	if _, ok := errors.AsType[*pipeline.GapsError](err); !ok {
		t.Fatal(err)
	}
	plan, _, err := e.run(t.Context(), &api{every: 10}, 3600, 7200, false)
	if err != nil || plan.Gaps != 1 {
		t.Fatalf("plan %+v, error %v", plan, err)
	}
	e.wantOnce(720)
}

// A range that moves with the time and never comes to its end is read anew all
// the same, when what was read at first is half a day old.
func TestAStaleRollingBatchIsNotTakenUp(t *testing.T) {
	e := newExporter(t)
	request := func() pipeline.Request {
		r, err := pipeline.Last(2*time.Hour, at(7200), queries)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	begin := func(ago time.Duration) {
		j := e.open()
		defer j.Close()
		r := request()
		begin := journal.Begin{ID: "b" + ago.String(), Spec: r.Spec, Range: r.Range, Queries: r.Queries, Time: time.Now().Add(-ago)}
		for _, again := range []time.Duration{0, ago - time.Minute} { // it was taken up a minute ago
			begin.Time = begin.Time.Add(again)
			if _, err := j.Append(t.Context(), journal.Record{Begin: &begin}); err != nil {
				t.Fatal(err)
			}
		}
	}
	resumed := func() bool {
		j := e.open()
		defer j.Close()
		batch, err := pipeline.NewBatch(t.Context(), e.stages(j, &api{every: 10}), request())
		if err != nil {
			t.Fatal(err)
		}
		return batch.Plan().Resumed
	}
	begin(13 * time.Hour)
	if resumed() {
		t.Error("a batch of 13 hours ago is taken up")
	}
	begin(2 * time.Hour)
	if !resumed() {
		t.Error("a batch of two hours ago is not taken up")
	}
}

func TestRestartReadsTheRangeAnew(t *testing.T) {
	e := newExporter(t)
	spent := &api{every: 10, fails: func(w window.Window) error {
		if !w.From.Before(at(3600)) {
			return &fetch.QuotaError{Until: at(9999), Err: errors.New("spent")}
		}
		return nil
	}}
	_, _, err := e.run(t.Context(), spent, 0, 7200, false)
	if _, ok := errors.AsType[*fetch.QuotaError](err); !ok {
		t.Fatal(err)
	}
	plan, _, err := e.run(t.Context(), &api{every: 10}, 0, 7200, true)
	if err != nil || plan.Resumed || plan.Missing != 2*time.Hour {
		t.Fatalf("plan %+v, error %v", plan, err)
	}
	e.wantOnce(720)
}

func TestASinkThatFailsLeavesTheBatchUnfinishedAndNoCallIsMadeTwice(t *testing.T) {
	e := newExporter(t)
	e.topic.Fault = func(delivertest.Step) error { return &deliver.PermanentError{Err: errors.New("not authorized")} }
	source := &api{every: 10}
	_, _, err := e.run(t.Context(), source, 0, 7200, false)
	if sink, ok := errors.AsType[*deliver.SinkError](err); !ok || sink.Sink != "topic" {
		t.Fatal(err)
	}
	if files, topic := e.leads(); len(files) != 720 || len(topic) != 0 {
		t.Fatalf("%d leads in the files, %d in the topic", len(files), len(topic))
	}
	e.topic.Fault = nil
	calls := source.calls.Load()
	plan, _, err := e.run(t.Context(), source, 0, 7200, false)
	if err != nil || !plan.Resumed || source.calls.Load() != calls {
		t.Fatalf("plan %+v, %d calls more, error %v", plan, source.calls.Load()-calls, err)
	}
	e.wantOnce(720)
}

func TestAnInterruptedBatchSaysSoOnce(t *testing.T) {
	e := newExporter(t)
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	source := &api{every: 10, fails: func(window.Window) error {
		if n.Add(1) == 3 {
			cancel()
		}
		return nil
	}}
	_, _, err := e.run(ctx, source, 0, 86400, false)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v", err)
	}
	if _, ok := errors.AsType[*deliver.SinkError](err); ok {
		t.Errorf("an interrupt is no failure of a sink: %v", err)
	}
	if _, _, err := e.run(t.Context(), &api{every: 10}, 0, 86400, false); err != nil {
		t.Fatal(err)
	}
	e.wantOnce(8640)
}

// Whatever fails, and however often the run is broken off: in the end every lead
// is there once.
func TestAnySetOfFaultsGivesTheSameRows(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		e := newExporter(outer)
		seconds := rapid.IntRange(1, 20_000).Draw(t, "seconds")
		source := &api{every: 97}
		for range rapid.IntRange(0, 4).Draw(t, "broken runs") {
			ctx, cancel := context.WithCancel(context.Background())
			left := int64(rapid.IntRange(0, 12).Draw(t, "calls until it breaks"))
			how := rapid.IntRange(0, 3).Draw(t, "how")
			var n atomic.Int64
			source.fails = func(w window.Window) error {
				if n.Add(1) <= left {
					return nil
				}
				switch how {
				case 0:
					cancel()
					return ctx.Err()
				case 1:
					return &fetch.QuotaError{Until: at(0), Err: errors.New("spent")}
				case 2:
					return &fetch.UnavailableError{Err: errors.New("no route")}
				default:
					if w.Length() > 20*time.Minute {
						return &fetch.WindowError{Window: w, Err: errors.New("too large")}
					}
					return nil
				}
			}
			_, _, _ = e.run(ctx, source, 0, seconds, false)
			cancel()
		}
		source.fails = nil
		if _, _, err := e.run(context.Background(), source, 0, seconds, false); err != nil {
			t.Fatal(err)
		}
		e.wantOnce((seconds + 96) / 97)
		if outer.Failed() {
			t.FailNow()
		}
	})
}

func TestRequests(t *testing.T) {
	now := at(1000)
	if _, err := pipeline.Between(at(10), at(10), now, queries); err == nil {
		t.Error("an empty range is accepted")
	}
	if _, err := pipeline.Between(at(2000), at(3000), now, queries); err == nil {
		t.Error("a range in the future is accepted")
	}
	if _, err := pipeline.Last(time.Millisecond, now, queries); err == nil {
		t.Error("the last millisecond is accepted")
	}
	early, err := pipeline.Between(at(0), at(2000), now, queries)
	if err != nil || early.Range != window.New(at(0), at(1000)) {
		t.Errorf("got %+v, %v", early, err)
	}
	later, err := pipeline.Between(at(0), at(2000), at(1500), queries)
	if err != nil || later.Spec != early.Spec || later.Range != window.New(at(0), at(1500)) {
		t.Errorf("the same request later: %+v, %v", later, err)
	}
	last, err := pipeline.Last(10*time.Minute, now, queries)
	if err != nil || last.Range != window.New(at(400), at(1000)) || last.Spec != "last 10m0s" {
		t.Errorf("got %+v, %v", last, err)
	}
	if got := pipeline.Queries([]string{"1", "2"}, "Answered", false); len(got) != 2 || got[1] != (journal.Query{Item: "2", Status: "Answered"}) {
		t.Errorf("got %+v", got)
	}
}
