package tracing

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// traced returns a Tracer, and the spans that have ended.
func traced(t *testing.T) (*Tracer, func() tracetest.SpanStubs) {
	t.Helper()
	kept := tracetest.NewInMemoryExporter()
	tracer := newTracer(sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept)), slog.New(slog.DiscardHandler))
	return tracer, kept.GetSpans
}

func TestAsked(t *testing.T) {
	for variables, want := range map[string]string{
		"":                          "no",
		"OTEL_TRACES_EXPORTER=otlp": "yes",
		"OTEL_TRACES_EXPORTER=none OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318":                                 "no",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318":                                                           "yes",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://localhost:4318/v1/traces":                                          "yes",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 OTEL_SDK_DISABLED=true":                                    "no",
		"OTEL_TRACES_EXPORTER=zipkin":                                                                                 "error",
		"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_PROTOCOL=grpc":                                                  "error",
		"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf": "yes",
	} {
		got := "no"
		asked, err := Asked(func(name string) string {
			for _, v := range strings.Fields(variables) {
				if value, ok := strings.CutPrefix(v, name+"="); ok {
					return value
				}
			}
			return ""
		})
		switch {
		case err != nil:
			got = "error"
		case asked:
			got = "yes"
		}
		if got != want || err != nil && asked {
			t.Errorf("%q: %s (%v), want %s", variables, got, err, want)
		}
	}
}

// journalStub gives out numbers.
type journalStub struct{ next journal.Seq }

func (j *journalStub) Append(context.Context, journal.Record) (journal.Seq, error) {
	j.next++
	return j.next - 1, nil
}

// What a stream's sinks commit belongs to the polls that landed it.
func TestDeliveriesBelongToTheirPolls(t *testing.T) {
	tracer, spans := traced(t)
	landing := tracer.Journal(new(journalStub))
	var polls []trace.SpanContext
	for range 3 {
		ctx, ended := tracer.Around(t.Context(), "poll")
		polls = append(polls, trace.SpanContextFromContext(ctx))
		if _, err := landing.Append(ctx, journal.Record{Page: &journal.Page{Leads: 1}}); err != nil {
			t.Fatal(err)
		}
		ended(nil)
	}
	store := delivertest.NewStore(deliver.Append)
	sink, err := tracer.Opener(deliver.Opener{Name: "kafka", Open: store.Open}).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	commit := func(next journal.Seq) {
		t.Helper()
		tx, err := sink.Begin(t.Context(), deliver.Whole)
		if err == nil {
			err = tx.Write(t.Context(), []schema.Row{{LeadID: "a"}})
		}
		if err == nil {
			_, err = tx.Commit(t.Context(), deliver.Position{Journal: "j", Next: next})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	commit(1)
	commit(3)
	var delivered []tracetest.SpanStub
	for _, s := range spans() {
		if s.Name == "deliver to kafka" {
			delivered = append(delivered, s)
		}
	}
	if len(delivered) != 2 || delivered[0].SpanContext.TraceID() != polls[0].TraceID() || len(delivered[0].Links) != 0 {
		t.Fatalf("delivered %+v", delivered)
	}
	second := delivered[1]
	if second.Parent.SpanID() != polls[2].SpanID() || len(second.Links) != 1 || second.Links[0].SpanContext.TraceID() != polls[1].TraceID() {
		t.Errorf("the second: parent %v, links %v", second.Parent, second.Links)
	}
}

// Within a batch, deliveries are the batch's; what fails says so.
func TestDeliveriesOfABatch(t *testing.T) {
	tracer, spans := traced(t)
	store := delivertest.NewStore(deliver.Replace)
	store.Fault = func(s delivertest.Step) error {
		if s == delivertest.StepCommit {
			return errors.New("no space left")
		}
		return nil
	}
	ctx, ended := tracer.Around(t.Context(), "batch")
	sink, err := tracer.Opener(deliver.Opener{Name: "parquet", Open: store.Open}).Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := sink.Begin(ctx, deliver.Partition{Date: "2026-09-01"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(ctx, deliver.Position{}); err == nil {
		t.Fatal("no fault")
	}
	ended(nil)
	s := spans()[0]
	if s.Parent.SpanID() != trace.SpanContextFromContext(ctx).SpanID() || s.Status.Code != codes.Error || s.Status.Description != "no space left" {
		t.Errorf("%+v", s)
	}
}

// lingering is a sink whose transactions linger.
type lingering struct{ deliver.Sink }

func (l lingering) Begin(ctx context.Context, p deliver.Partition) (deliver.Transaction, error) {
	tx, err := l.Sink.Begin(ctx, p)
	return lingeringTx{tx}, err
}

type lingeringTx struct{ deliver.Transaction }

func (lingeringTx) Linger() time.Duration { return time.Minute }

// A transaction that lingers does so when it is looked at, and no other does.
func TestTransactionsLingerAsBefore(t *testing.T) {
	tracer, _ := traced(t)
	store := delivertest.NewStore(deliver.Append)
	for _, lingers := range []bool{false, true} {
		open := store.Open
		if lingers {
			open = func(ctx context.Context) (deliver.Sink, error) {
				sink, err := store.Open(ctx)
				return lingering{sink}, err
			}
		}
		sink, err := tracer.Opener(deliver.Opener{Name: "files", Open: open}).Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tx, err := sink.Begin(t.Context(), deliver.Whole)
		if err != nil {
			t.Fatal(err)
		}
		if l, ok := tx.(deliver.Lingering); ok != lingers || ok && l.Linger() != time.Minute {
			t.Errorf("lingers: %t, want %t", ok, lingers)
		}
	}
}

// A request's span has its path and status, and neither query nor headers.
func TestRequestsAreSpans(t *testing.T) {
	tracer, spans := traced(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "sensitive")
	}))
	defer server.Close()
	client := &http.Client{Transport: tracer.Transport(&http.Transport{DisableKeepAlives: true})}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/sell/leads/v1/classified_lead?startTime=sensitive", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer sensitive")
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	s := spans()[0]
	var attributes []string
	for _, a := range s.Attributes {
		attributes = append(attributes, string(a.Key)+"="+a.Value.String())
	}
	for _, want := range []string{"http.response.status_code=500", "url.path=/sell/leads/v1/classified_lead", "http.response.body.size=9"} {
		if !slices.Contains(attributes, want) {
			t.Errorf("no %s in %q", want, attributes)
		}
	}
	if s.Name != "GET classified_lead" || s.Status.Code != codes.Error || strings.Contains(strings.Join(attributes, " ")+s.Status.Description, "sensitive") {
		t.Errorf("%s %+v %q", s.Name, s.Status, attributes)
	}
}

// Without traces everything is as it is.
func TestNoTracer(t *testing.T) {
	var none *Tracer
	j := new(journalStub)
	if none.Journal(j) != j || none.Source(nil) != nil || none.Transport(http.DefaultTransport) != http.DefaultTransport {
		t.Error("something is wrapped")
	}
	ctx, ended := none.Around(t.Context(), "poll")
	ended(nil)
	none.Stop()
	if ctx != t.Context() {
		t.Error("another context")
	}
}
