package known

import (
	"fmt"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/leads-etl/leads-etl/pipeline/internal/freeze"
)

// failing is what the database is told to log with. It keeps the first failure of
// its background work, for the one who writes to learn of it.
type failing struct {
	logger *slog.Logger
	// disk is what the database writes to; it does not let it know of failures after
	// which it would end the process.
	disk *freeze.FS

	mu    sync.Mutex
	first error
}

// Infof is for what the database tells of its ordinary life, which is nobody's
// business.
func (f *failing) Infof(string, ...any) {}

// Errorf is for failures that the database goes on after.
func (f *failing) Errorf(format string, args ...any) {
	f.logger.Warn("the store of known leads", "error", fmt.Sprintf(format, args...))
}

// fatalError is a panic's value.
type fatalError struct{ error }

// Fatalf is for failures after which the database must not go on. In a call of
// ours the panic becomes the call's error; elsewhere the process ends, and loses
// nothing, since all of the store is derived again.
func (f *failing) Fatalf(format string, args ...any) {
	err := fatalError{fmt.Errorf(format, args...)}
	f.background(err)
	panic(err)
}

// background is told of failures of flushes and compactions.
func (f *failing) background(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first == nil {
		f.first = err
	}
}

func (f *failing) error() error {
	if err := f.disk.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first
}

// damaged is told of data that is not what was written; whoever reads it gets an
// error as well, and the store is of no use.
func (f *failing) damaged(info pebble.DataCorruptionInfo) {
	f.background(fmt.Errorf("%w: %w", errDamaged, info.Details))
}

func (f *failing) listener() *pebble.EventListener {
	return &pebble.EventListener{BackgroundError: f.background, DataCorruption: f.damaged}
}

// recoverFatal makes a fatal failure the error of the call that met it.
func recoverFatal(err *error) {
	switch r := recover().(type) {
	case nil:
	case fatalError:
		*err = fmt.Errorf("the store of known leads failed: %w", r.error)
	default:
		panic(r)
	}
}
