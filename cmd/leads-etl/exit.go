package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/monitor"
	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// The exit codes, which scripts and schedulers go by. They are all here.
const (
	exitDone        = 0
	exitUnexpected  = 1   // a fault of the machine or of this program
	exitUsage       = 2   // the command line or the configuration is wrong
	exitRefused     = 3   // the API refused the login or the request
	exitIncomplete  = 4   // done but for gaps, or the quota is spent
	exitSink        = 5   // a sink failed, or was behind when its time was over
	exitInterrupted = 130 // ended by a signal; the same command resumes it
)

// severity orders the codes for runs that end with more than one error: the
// first of them in this list is the code.
var severity = []int{exitInterrupted, exitUnexpected, exitUsage, exitRefused, exitSink, exitIncomplete}

// usageError says that the command line cannot be understood.
type usageError struct {
	err error
	// command is the one that it concerns, "" if none is known.
	command string
}

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// toldError is an error that the command's own output has already shown; only
// its code still counts.
type toldError struct {
	error
	code int
}

// failure is an error as users are shown it.
type failure struct {
	code  int
	text  string
	hints []string
}

// exitCode returns the code that the error stands for.
func exitCode(err error) int {
	code, worst := exitDone, len(severity)
	for _, f := range failures(err) {
		for i, c := range severity[:worst] {
			if c == f.code {
				code, worst = c, i
			}
		}
	}
	return code
}

// failures takes an error apart into those that were joined, and classifies
// each. An interruption, which every part notices in its own way, is one.
func failures(err error) []failure {
	all := takeApart(err)
	interrupted := func(f failure) bool { return f.code == exitInterrupted }
	first := slices.IndexFunc(all, interrupted)
	if first < 0 {
		return all
	}
	one := all[first]
	if e, ok := errors.AsType[*interruptError](err); ok {
		one.text = e.Error()
	}
	return append(slices.DeleteFunc(all, interrupted), one)
}

func takeApart(err error) []failure {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []failure
		for _, e := range joined.Unwrap() {
			all = append(all, takeApart(e)...)
		}
		return all
	}
	return []failure{classify(err)}
}

// classify is where errors get their exit code and their hints.
func classify(err error) failure {
	f := failure{code: exitUnexpected, text: err.Error()}
	hint := func(code int, hints ...string) failure {
		f.code, f.hints = code, hints
		return f
	}
	if e, ok := errors.AsType[*toldError](err); ok {
		return failure{code: e.code}
	}
	if e, ok := errors.AsType[*config.SecretFlagError](err); ok {
		f.text = e.Error()
		return hint(exitUsage, e.Hint)
	}
	if e, ok := errors.AsType[*usageError](err); ok {
		return hint(exitUsage, strings.Join(strings.Fields("see "+programName+" "+e.command+" --help"), " "))
	}
	if _, ok := errors.AsType[config.Problems](err); ok {
		return hint(exitUsage)
	}
	if _, ok := errors.AsType[*interruptError](err); ok || errors.Is(err, context.Canceled) {
		return hint(exitInterrupted, resumable)
	}
	if e, ok := errors.AsType[*fetch.RefusedError](err); ok {
		bare := *e
		bare.Hint = ""
		f.text = strings.Replace(err.Error(), e.Error(), bare.Error(), 1)
		return hint(exitRefused, e.Hint)
	}
	if _, ok := errors.AsType[*fetch.QuotaError](err); ok {
		return hint(exitIncomplete, resumable)
	}
	if _, ok := errors.AsType[*fetch.UnavailableError](err); ok {
		return hint(exitUnexpected, resumable, fmt.Sprintf("'%s check' tries the way to it step by step", programName))
	}
	if _, ok := errors.AsType[*pipeline.GapsError](err); ok {
		return hint(exitIncomplete, "the next run tries them again first")
	}
	if _, ok := errors.AsType[*pipeline.DrainError](err); ok {
		return hint(exitSink, fmt.Sprintf("nothing is lost: the next run goes on from there, as does '%s replay', without API calls", programName))
	}
	if _, ok := errors.AsType[*deliver.AheadError](err); ok {
		return hint(exitUnexpected, fmt.Sprintf("nothing was delivered to it; '%s repair' shows what the journal has lost, and '%s repair --write' has it fetched again", programName, programName))
	}
	if _, ok := errors.AsType[*journal.CorruptionError](err); ok {
		return hint(exitUnexpected, fmt.Sprintf("'%s repair' shows what is readable, and '%s repair --write' keeps it and has the rest fetched again", programName, programName))
	}
	if e, ok := errors.AsType[*deliver.SinkError](err); ok {
		return hint(exitSink, fmt.Sprintf("nothing is lost: when it is mended, '%s replay --sink %s' brings it up to date without API calls", programName, kindOf(e.Sink)))
	}
	if _, ok := errors.AsType[*monitor.ListenError](err); ok {
		return hint(exitUnexpected, "end what listens there, or give another address with --listen")
	}
	if _, ok := errors.AsType[*journal.LockedError](err); ok {
		return hint(exitUnexpected, fmt.Sprintf("wait until it has ended, or end it; '%s status', show, history and report work beside it", programName))
	}
	if _, ok := errors.AsType[*journal.IdentityError](err); ok {
		return hint(exitUsage)
	}
	if _, ok := errors.AsType[*journal.BaseError](err); ok {
		return hint(exitUnexpected, "a journal that was never pruned, or is of another state folder, is not concerned")
	}
	if _, ok := errors.AsType[*journal.PrunedError](err); ok {
		return hint(exitUnexpected, "whoever exports has pruned the journal while it was read: run the command again")
	}
	if e, ok := errors.AsType[*journal.WriteError](err); ok {
		return hint(exitUnexpected, e.Hint())
	}
	return f
}

// resumable is the hint of runs that ended early.
const resumable = "what was fetched is kept; the same command goes on from there"

// show writes the error for people: what, where, and what to do.
func show(w io.Writer, err error) {
	for _, f := range failures(err) {
		if f.text == "" {
			continue
		}
		fmt.Fprintf(w, "%s: %s\n", programName, f.text)
		for _, h := range f.hints {
			if h != "" {
				fmt.Fprintf(w, "  hint: %s\n", h)
			}
		}
	}
}
