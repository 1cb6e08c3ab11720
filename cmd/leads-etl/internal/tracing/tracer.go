package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/leads-etl/leads-etl/source"
)

// Tracer makes the spans of one run. It is safe for concurrent use. The nil Tracer
// makes none, and leaves everything as it is.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	logger   *slog.Logger
	landed   landings
}

// Subject is whose run is traced.
type Subject struct{ Version, Account, Marketplace string }

// flushTimeout bounds how long the end of a run waits for its last spans to be
// sent.
const flushTimeout = 5 * time.Second

// Asked reports whether the environment, which lookup reads, asks for traces: by
// OTEL_TRACES_EXPORTER=otlp, or by an OTLP endpoint alone. What it asks for and is
// not to be had here is the error, and no reason not to go on.
func Asked(lookup func(name string) string) (bool, error) {
	if strings.EqualFold(lookup("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	endpoint := lookup("OTEL_EXPORTER_OTLP_ENDPOINT") + lookup("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	switch exporter := lookup("OTEL_TRACES_EXPORTER"); {
	case exporter == "none", exporter == "" && endpoint == "":
		return false, nil
	case exporter != "" && exporter != "otlp":
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: there are otlp and none", exporter)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		switch protocol := lookup(name); protocol {
		case "http/protobuf":
			return true, nil
		case "":
		default:
			return false, fmt.Errorf("%s is %q: there is http/protobuf", name, protocol)
		}
	}
	return true, nil
}

// Start returns a Tracer that sends as the process's environment says. Stop it.
// What goes wrong with sending is logged; it sets OpenTelemetry's handler of
// errors, of which a process has one.
func Start(ctx context.Context, s Subject, logger *slog.Logger) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing to send traces: %w", err)
	}
	about, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(
			attribute.String("service.name", "leads-etl"), attribute.String("service.version", s.Version),
			attribute.String("leads_etl.account", s.Account), attribute.String("leads_etl.marketplace", s.Marketplace),
		),
		resource.WithFromEnv(), // wins over what was said before
	)
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("preparing to send traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		logger.WarnContext(ctx, "traces could not be sent", "error", err)
	}))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	return newTracer(provider, logger), nil
}

func newTracer(provider *sdktrace.TracerProvider, logger *slog.Logger) *Tracer {
	return &Tracer{
		provider: provider, logger: logger,
		tracer: provider.Tracer("github.com/leads-etl/leads-etl"),
	}
}

// Stop sends what has not been sent, for a few seconds at most.
func (t *Tracer) Stop() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.logger.WarnContext(ctx, "traces could not be sent", "error", err)
	}
}

// Around begins a trace: what is done with the context that it returns belongs to
// it, until the function is called with how that ended.
func (t *Tracer) Around(ctx context.Context, what string) (context.Context, func(error)) {
	if t == nil {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, what, trace.WithNewRoot())
	return ctx, func(err error) { end(span, err) }
}

// end ends the span with how it went. The texts of errors are fit to be shown:
// they are what the log shows.
func end(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		if id := source.RequestIDOf(err); id != "" {
			span.SetAttributes(attribute.String("ebay.request_id", id))
		}
	}
	span.End()
}
