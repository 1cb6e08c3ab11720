package logging

import (
	"context"
	"log/slog"

	"github.com/leads-etl/leads-etl/source"
)

// RequestIDKey is the key of eBay's id of a request.
const RequestIDKey = "request_id"

// RequestIDs adds eBay's id of the request, for eBay's support, to each record
// with an error that has one.
type RequestIDs struct{ slog.Handler }

// Handle implements slog.Handler.
func (h RequestIDs) Handle(ctx context.Context, r slog.Record) error {
	id := ""
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == RequestIDKey {
			id = ""
			return false
		}
		if err, ok := a.Value.Any().(error); ok && id == "" {
			id = source.RequestIDOf(err)
		}
		return true
	})
	if id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String(RequestIDKey, id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h RequestIDs) WithAttrs(attrs []slog.Attr) slog.Handler {
	return RequestIDs{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h RequestIDs) WithGroup(name string) slog.Handler { return RequestIDs{h.Handler.WithGroup(name)} }
