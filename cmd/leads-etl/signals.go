package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// interruptError is the cause of a context that a signal ended.
type interruptError struct{ signal os.Signal }

func (e *interruptError) Error() string {
	name := e.signal.String()
	switch e.signal {
	case os.Interrupt:
		name = "SIGINT"
	case syscall.SIGTERM:
		name = "SIGTERM"
	}
	return "interrupted by " + name
}

// untilSignal returns a context that the first SIGINT or SIGTERM ends. After it
// the signals are the system's again, so that the second ends the process at
// once. stop releases the signals.
func untilSignal(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(&interruptError{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// untilSecondSignal is for work that comes to its end by itself when it is told to,
// and may take its time: the first SIGINT or SIGTERM closes the channel, the
// second ends the context. After that the signals are the system's again. stop
// releases the signals.
func untilSecondSignal(ctx context.Context) (_ context.Context, first <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	told := make(chan struct{})
	go func() {
		select {
		case <-signals:
			close(told)
		case <-ctx.Done():
			return
		}
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(&interruptError{s})
		case <-ctx.Done():
		}
	}()
	return ctx, told, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// catchHangups takes the SIGHUPs from the first moment on: one that comes before
// anybody reads them, or after, must not end the process. The last one is kept
// until it is read. stop releases the signal.
func catchHangups() (hangups <-chan os.Signal, stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	return signals, func() { signal.Stop(signals) }
}

// announceInterrupt tells the user when a signal ends the context that the
// command takes a moment to end as it should. stop it when it has ended.
func (c *console) announceInterrupt(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		if _, ok := errors.AsType[*interruptError](context.Cause(ctx)); ok {
			c.notice("interrupted: finishing what is under way", "interrupt again to end at once")
		}
	})
}
