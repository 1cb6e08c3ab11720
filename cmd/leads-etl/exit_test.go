package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Every kind of end has its exit code, also wrapped, and the worst of several
// counts.
func TestExitCodes(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("doing it: %w", err) }
	var (
		interrupted = &interruptError{syscall.SIGTERM}
		refused     = &fetch.RefusedError{Err: errors.New("no")}
		quota       = &fetch.QuotaError{Until: time.Now(), Err: errors.New("spent")}
		gaps        = &pipeline.GapsError{Gaps: make([]journal.Gap, 1)}
		sink        = &deliver.SinkError{Sink: "kafka", Err: errors.New("gone")}
		write       = &journal.WriteError{Op: "sync", Path: "p", Err: syscall.ENOSPC}
	)
	for i, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("what?"), 1},
		{write, 1},
		{&fetch.UnavailableError{Err: errors.New("down")}, 1},
		{&usageError{err: errors.New("what?")}, 2},
		{config.Problems{{Text: "odd"}}, 2},
		{&config.SecretFlagError{}, 2},
		{&journal.IdentityError{}, 2},
		{&journal.PrunedError{Seq: 7}, 1},
		{refused, 3},
		{gaps, 4},
		{quota, 4},
		{sink, 5},
		// What broke inside a sink is the sink's affair.
		{&deliver.SinkError{Sink: "parquet", Err: write}, 5},
		{&pipeline.DrainError{Timeout: time.Second, Sinks: []string{"kafka"}}, 5},
		{&toldError{errors.New("seen"), 5}, 5},
		{interrupted, 130},
		{context.Canceled, 130},
		{errors.Join(gaps, sink), 5},
		{errors.Join(sink, refused), 3},
		{errors.Join(refused, write), 1},
		{errors.Join(write, wrapped(context.Canceled), interrupted), 130},
		{errors.Join(errors.Join(gaps, nil), errors.Join(sink, errors.Join(quota))), 5},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%d: %v: exit code %d, want %d", i, c.err, got, c.want)
		}
		if c.err == nil {
			continue
		}
		if _, joined := c.err.(interface{ Unwrap() []error }); !joined {
			if got := exitCode(wrapped(c.err)); got != c.want {
				t.Errorf("%d: wrapped: exit code %d, want %d", i, got, c.want)
			}
		}
	}
	for _, code := range []int{exitUnexpected, exitUsage, exitRefused, exitIncomplete, exitSink, exitInterrupted} {
		if !slices.Contains(severity, code) {
			t.Errorf("exit code %d has no severity", code)
		}
	}
}

func TestShow(t *testing.T) {
	w := window.New(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 9, 2, 0, 0, 0, 0, time.UTC))
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("what?"), "leads-etl: what?\n"},
		{&usageError{err: errors.New("what?"), command: "batch"}, "leads-etl: what?\n  hint: see leads-etl batch --help\n"},
		{
			fmt.Errorf("fetching: %w", &fetch.RefusedError{Window: w, Err: errors.New("352003 Invalid Start Date"), Hint: "ask for less"}),
			"leads-etl: fetching: window [2026-09-01T00:00:00Z, 2026-09-02T00:00:00Z): 352003 Invalid Start Date\n  hint: ask for less\n",
		},
		{
			errors.Join(&deliver.SinkError{Sink: "ndjson", Err: errors.New("no space")}, &deliver.SinkError{Sink: "kafka", Err: errors.New("gone")}),
			"leads-etl: sink ndjson: no space\n  hint: nothing is lost: when it is mended, 'leads-etl replay --sink ndjson' brings it up to date without API calls\n" +
				"leads-etl: sink kafka: gone\n  hint: nothing is lost: when it is mended, 'leads-etl replay --sink kafka' brings it up to date without API calls\n",
		},
		{
			&deliver.SinkError{Sink: "parquet events", Err: errors.New("no space")},
			"leads-etl: sink parquet events: no space\n  hint: nothing is lost: when it is mended, 'leads-etl replay --sink parquet' brings it up to date without API calls\n",
		},
		{
			&pipeline.DrainError{Timeout: 30 * time.Second, Sinks: []string{"kafka", "ndjson events"}},
			"leads-etl: not everything that is landed could be delivered within 30s to kafka, ndjson events\n  hint: nothing is lost: the next run goes on from there, as does 'leads-etl replay', without API calls\n",
		},
		// The parts of a run notice an interruption each in their own way; it is told once.
		{
			errors.Join(fmt.Errorf("fetching: %w", context.Canceled), &interruptError{syscall.SIGINT}, context.Canceled),
			"leads-etl: interrupted by SIGINT\n  hint: what was fetched is kept; the same command goes on from there\n",
		},
		{&toldError{errors.New("seen"), 5}, ""},
	} {
		var b bytes.Buffer
		show(&b, c.err)
		if b.String() != c.want {
			t.Errorf("got\n%s\nwant\n%s", b.String(), c.want)
		}
	}
}
