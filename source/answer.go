package source

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// requestIDHeader is where eBay names the exchange (REST response components).
const requestIDHeader = "X-EBAY-C-REQUEST-ID"

// readPage reads an answer with status 200 and holds it against what it
// announces. With a *ShortError it returns the page as well.
func (c *Client) readPage(ctx context.Context, answer *http.Response, wire *wireReader, w window.Window, q journal.Query) (*journal.Page, error) {
	if answer.StatusCode == http.StatusNoContent {
		// eBay's other APIs say "none" like this; the reference is silent.
		answer.Header.Del("Content-Encoding")
		wire.body = strings.NewReader("{}")
	}
	body, found, err := readBody(answer, w, wire, c.bounds.of(w))
	if err != nil {
		return nil, err
	}
	if len(found.Errors) > 0 {
		return nil, c.apiError(answer, found.Errors, w, q)
	}
	page := &journal.Page{
		Query:      q,
		Window:     w,
		RequestID:  c.censor.words(answer.Header.Get(requestIDHeader), maxID),
		Received:   c.now().UTC().Truncate(time.Millisecond),
		Items:      found.Items,
		Leads:      found.Leads,
		TotalItems: found.TotalItems,
		TotalLeads: found.TotalLeads,
		Undated:    found.Undated,
		Warnings:   c.keepWarnings(ctx, found.Warnings, w, c.censor.words(answer.Header.Get(requestIDHeader), maxID)),
		Body:       body,
	}
	if err := c.reconcile(ctx, page); err != nil {
		page.Short = true
		return page, err
	}
	return page, nil
}

// reconcile holds what arrived against what was announced, and returns a
// *ShortError if it is less.
func (c *Client) reconcile(ctx context.Context, p *journal.Page) error {
	short := ShortError{Items: p.Items, Leads: p.Leads, TotalItems: -1, TotalLeads: -1}
	if p.TotalItems != nil {
		short.TotalItems = *p.TotalItems
	}
	if p.TotalLeads != nil {
		short.TotalLeads = *p.TotalLeads
	}
	if p.Leads < short.TotalLeads || p.Items < short.TotalItems {
		return &short
	}
	if short.TotalLeads < 0 && p.Leads > 0 {
		c.warnTotals.Do(func() {
			c.logger.WarnContext(ctx, "answers do not say how many leads there should be; they are taken for complete", "window", p.Window.String(), "request_id", p.RequestID)
		})
	}
	if short.TotalLeads >= 0 && p.Leads > short.TotalLeads || short.TotalItems >= 0 && p.Items > short.TotalItems {
		c.logger.DebugContext(ctx, "the answer holds more than it announces", "window", p.Window.String(),
			"leads", p.Leads, "total_leads", short.TotalLeads, "items", p.Items, "total_items", short.TotalItems, "request_id", p.RequestID)
	}
	return nil
}

// keepWarnings returns the API's warnings in words. Each is logged where it
// comes up first; some APIs warn with every answer.
func (c *Client) keepWarnings(ctx context.Context, messages []flatten.APIMessage, w window.Window, requestID string) []string {
	var kept []string
	for _, m := range c.cleanMessages(messages) {
		text := messageText(m)
		level := slog.LevelDebug
		if _, known := c.warnings.LoadOrStore(m.ID, nil); !known {
			level = slog.LevelWarn
		}
		c.logger.Log(ctx, level, "the API warns", "window", w.String(), "warning", text, "request_id", requestID)
		kept = append(kept, text)
	}
	return kept
}

// readError reads an answer whose status says that it is no page.
func (c *Client) readError(ctx context.Context, answer *http.Response, wire *wireReader, w window.Window, q journal.Query) error {
	found, err := inspectError(answer, wire)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	// The status alone says enough where the body cannot be read.
	return c.apiError(answer, found.Errors, w, q)
}

// inspectError looks for eBay's errors in a body, which may be anything.
func inspectError(answer *http.Response, wire *wireReader) (flatten.Inspection, error) {
	body := io.LimitReader(wire, maxErrorBytes)
	if answer.Header.Get("Content-Encoding") == "gzip" {
		unzipper, err := gzip.NewReader(body)
		if err != nil {
			return flatten.Inspection{}, err
		}
		defer unzipper.Close()
		body = io.LimitReader(unzipper, maxErrorBytes)
	}
	return flatten.Inspect(body)
}

func (c *Client) apiError(answer *http.Response, messages []flatten.APIMessage, w window.Window, q journal.Query) *APIError {
	e := &APIError{
		Status:    answer.StatusCode,
		Errors:    c.cleanMessages(messages),
		RequestID: c.censor.words(answer.Header.Get(requestIDHeader), maxID),
		Window:    w,
		item:      q.Item != "",
	}
	e.after, e.waits = retryAfter(answer.Header, c.now())
	return e
}

// maxMessages bounds how many errors of one answer are repeated.
const maxMessages = 10

// cleanMessages returns the messages with texts that can be shown. Parameters
// are left out: they repeat values of the request, and who knows what else.
func (c *Client) cleanMessages(messages []flatten.APIMessage) []flatten.APIMessage {
	messages = messages[:min(len(messages), maxMessages)]
	clean := make([]flatten.APIMessage, 0, len(messages))
	for _, m := range messages {
		clean = append(clean, flatten.APIMessage{
			ID:          m.ID,
			Domain:      c.censor.words(m.Domain, maxID),
			SubDomain:   c.censor.words(m.SubDomain, maxID),
			Category:    c.censor.words(m.Category, maxID),
			Message:     c.censor.words(m.Message, maxWords),
			LongMessage: c.censor.words(m.LongMessage, maxWords),
		})
	}
	return clean
}
