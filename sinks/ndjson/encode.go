package ndjson

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/files"
)

// tableWindow is how far back zstd looks, in bytes. It costs its size and once more;
// what the fastest level finds further back than this is hardly worth the memory.
const tableWindow = 1 << 20

// format is the format that a configuration makes.
func format(c Config) (files.Format, error) {
	compress, err := compressor(c.Compression, zstd.WithWindowSize(tableWindow))
	if err != nil {
		return files.Format{}, fmt.Errorf("compression %q: %w", c.Compression, err)
	}
	// Text that is not compressed has nothing to be done beside.
	return formatOf(c, compress, c.Compression != None), nil
}

// eventFormat is the format of events, of which many files are open at a time:
// its compressors hold less memory, and run in the goroutine that writes.
func eventFormat(c Config) (files.Format, error) {
	// The window costs its size and once more; the last quarter of a megabyte serves text
	// almost as well.
	compress, err := compressor(c.Compression, zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return files.Format{}, fmt.Errorf("compression %q: %w", c.Compression, err)
	}
	return formatOf(c, compress, false), nil
}

func formatOf(c Config, compress func() compression, beside bool) files.Format {
	// Compressors are costly to make, so those of files that are complete serve the
	// files to come. What nobody needs is let go: a stream that has caught up needs few.
	presses := &sync.Pool{New: func() any { return newPress(compress(), beside) }}
	return files.Format{
		Name:       "ndjson",
		Extension:  extensions[c.Compression],
		Extensions: slices.Sorted(maps.Values(extensions)),
		Backward:   backward,
		Encode: func(w io.Writer) (files.Encoder, error) {
			p := presses.Get().(*press)
			p.begin(w)
			return &encoder{press: p, release: func() { presses.Put(p) }, roll: c.Roll}, nil
		},
	}
}

// compression is a compressor. Reset begins a new stream.
type compression interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// compressor returns what makes compressors of a name. The options are for zstd.
func compressor(name string, options ...zstd.EOption) (func() compression, error) {
	switch name {
	case None:
		return func() compression { return new(plain) }, nil
	case Gzip:
		return func() compression { return &gzipped{gzip.NewWriter(io.Discard)} }, nil
	case Zstd:
		// More than one at a time would cut blocks as goroutines happen to run.
		options = append(options, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		if _, err := zstd.NewWriter(nil, options...); err != nil {
			return nil, err
		}
		return func() compression {
			z, _ := zstd.NewWriter(nil, options...) // the options were tried above
			return z
		}, nil
	}
	return nil, fmt.Errorf("is none of %v", compressions)
}

// plain is no compression.
type plain struct{ io.Writer }

func (p *plain) Reset(w io.Writer) { p.Writer = w }
func (*plain) Close() error        { return nil }

// gzipped has 0 for a time in the header, which is none. The zero time.Time
// would be one in 2042.
type gzipped struct{ *gzip.Writer }

func (g *gzipped) Reset(w io.Writer) {
	g.Writer.Reset(w)
	g.ModTime = time.Unix(0, 0)
}

// encoder writes the lines of one file.
type encoder struct {
	press   *press
	release func() // gives the press back; nil if that was done
	roll    int64
}

// Write adds lines until the file has its size. Whether it has is asked after
// each, and what has left the compressor by then depends on the lines alone: so
// files are cut at the same rows whenever the rows are the same.
func (e *encoder) Write(rows []schema.Row) (int, error) {
	p := e.press
	for i := range rows {
		full, err := p.reached(e.roll)
		if full || err != nil {
			return i, err
		}
		lines, err := schema.AppendJSON(p.filling, &rows[i])
		if err != nil {
			return i, err
		}
		p.filling = append(lines, '\n')
		if err := p.fill(); err != nil {
			return i, err
		}
	}
	return len(rows), nil
}

// Buffered is 0: what the press holds does not grow with the rows.
func (e *encoder) Buffered() int { return 0 }

// Flush does nothing.
func (e *encoder) Flush() error { return nil }

// Close ends the compressed stream. A second call does nothing.
func (e *encoder) Close() error {
	if e.release == nil {
		return nil
	}
	err := e.press.end()
	e.release()
	e.release = nil
	return err
}
