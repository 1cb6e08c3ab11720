package tracing

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Source makes a span of each window that is fetched, however many requests that
// takes.
func (t *Tracer) Source(s fetch.Source) fetch.Source {
	if t == nil {
		return s
	}
	return &tracedSource{s, t}
}

type tracedSource struct {
	next fetch.Source
	*Tracer
}

func (s *tracedSource) Fetch(ctx context.Context, w window.Window, q journal.Query) (*journal.Page, error) {
	ctx, span := s.tracer.Start(ctx, "fetch window", trace.WithAttributes(
		attribute.String("window.from", w.From.Format(time.RFC3339)), attribute.String("window.to", w.To.Format(time.RFC3339)),
		attribute.String("item", q.Item),
	))
	page, err := s.next.Fetch(ctx, w, q)
	if err == nil {
		span.SetAttributes(attribute.Int("leads", page.Leads), attribute.Int("bytes", len(page.Body)), attribute.String("ebay.request_id", page.RequestID))
	}
	end(span, err)
	return page, err
}

// Journal makes a span of each answer that is landed, and each gap.
func (t *Tracer) Journal(j fetch.Journal) fetch.Journal {
	if t == nil {
		return j
	}
	return &tracedJournal{j, t}
}

type tracedJournal struct {
	next fetch.Journal
	*Tracer
}

func (j *tracedJournal) Append(ctx context.Context, r journal.Record) (journal.Seq, error) {
	name := "record gap"
	if r.Page != nil {
		name = "land page"
	}
	of := trace.SpanContextFromContext(ctx)
	ctx, span := j.tracer.Start(ctx, name)
	seq, err := j.next.Append(ctx, r)
	if err == nil && r.Page != nil {
		span.SetAttributes(attribute.Int64("page", int64(seq)), attribute.Int("leads", r.Page.Leads), attribute.Int("bytes", len(r.Page.Body)))
		j.landed.add(seq, of)
	}
	end(span, err)
	return seq, err
}

// Transport makes a span of each request, the token's too, until its answer has
// been read.
func (t *Tracer) Transport(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return &tracedTransport{next, t}
}

type tracedTransport struct {
	next http.RoundTripper
	*Tracer
}

// RoundTrip implements http.RoundTripper. An error's text may quote the answer, so
// it is left out.
func (t *tracedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	ctx, span := t.tracer.Start(r.Context(), r.Method+" "+path[strings.LastIndex(path, "/")+1:],
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("http.request.method", r.Method), attribute.String("server.address", r.URL.Hostname()),
			attribute.String("url.path", r.URL.Path),
		))
	answer, err := t.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		span.SetStatus(codes.Error, "there was no answer")
		span.End()
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", answer.StatusCode))
	if answer.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, http.StatusText(answer.StatusCode))
	}
	answer.Body = &tracedBody{ReadCloser: answer.Body, span: span}
	return answer, nil
}

// tracedBody ends the span when it is closed, as every body is.
type tracedBody struct {
	io.ReadCloser
	span  trace.Span
	bytes int64
	once  sync.Once
}

func (b *tracedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes += int64(n)
	return n, err
}

func (b *tracedBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() {
		b.span.SetAttributes(attribute.Int64("http.response.body.size", b.bytes))
		b.span.End()
	})
	return err
}
