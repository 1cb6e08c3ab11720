package files

import (
	"context"
	"io"
	"iter"
	"log/slog"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// Format is how rows become the bytes of a file.
type Format struct {
	// Name is the sink's name, and the folder of its manifests.
	Name string
	// Extension ends the names of files written now; Extensions are all that
	// files of the format may have, under any setting. None is the end of another
	// format's.
	Extension  string
	Extensions []string
	// Encode begins a file. The same rows make the same bytes, however they are
	// cut into calls of Write. Several files may be written at a time, by one
	// goroutine.
	Encode func(w io.Writer) (Encoder, error)
	// Backward yields the rows of a file from the last to the first. What it reads
	// before its time and cannot hold, it keeps in the spool.
	Backward func(ctx context.Context, file Stored, spool *Spool) iter.Seq2[schema.Row, error]
}

// Stored is a file that is read back.
type Stored struct {
	io.ReaderAt
	Name string // it ends in one of the format's Extensions
	Size int64
	Rows int // as the manifest lists it
	// Hold is about how many rows may be held in memory at a time.
	Hold int
}

// Encoder writes one file.
type Encoder interface {
	// Write encodes rows until they end or the file has reached its size, and
	// returns how many it took. It takes at least one if it has none yet.
	Write(rows []schema.Row) (int, error)
	// Buffered returns how many bytes of rows are held in memory until there are
	// more, and Flush writes these. Both depend on the rows alone.
	Buffered() int
	Flush() error
	// Close writes what is still to be written. It does not close the writer
	// below.
	Close() error
}

// Spec is everything that makes a sink.
type Spec struct {
	Options Options
	Format  Format
	Binding deliver.Binding
	Logger  *slog.Logger
	// Step, if set, is called before each change of the file system; its error is
	// taken for the change's. It is for tests, to let the disk fail.
	Step func(op, path string) error
}

func (spec Spec) layout(root string) layout {
	return layout{
		root:        root,
		format:      spec.Format.Name,
		account:     spec.Binding.Account,
		marketplace: spec.Binding.Marketplace,
		extensions:  spec.Format.Extensions,
	}
}
