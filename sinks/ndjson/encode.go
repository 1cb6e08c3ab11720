package ndjson

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/files"
)

// format is the format that a configuration makes. Its compressor is used for
// one file after the other, since it is costly to make and a sink writes one
// file at a time.
func format(c Config) (files.Format, error) {
	compress, err := compressor(c.Compression)
	if err != nil {
		return files.Format{}, fmt.Errorf("compression %q: %w", c.Compression, err)
	}
	return files.Format{
		Name:       "ndjson",
		Extension:  extensions[c.Compression],
		Extensions: slices.Sorted(maps.Values(extensions)),
		Encode: func(w io.Writer) (files.Encoder, error) {
			e := &encoder{size: counter{w: w}, roll: c.Roll}
			e.lines = compress(&e.size)
			return e, nil
		},
	}, nil
}

// compressor returns a function that begins a compressed stream; it ends the
// one before.
func compressor(compression string) (func(w io.Writer) io.WriteCloser, error) {
	switch compression {
	case None:
		return func(w io.Writer) io.WriteCloser { return plain{w} }, nil
	case Gzip:
		gz, err := gzip.NewWriterLevel(io.Discard, gzip.DefaultCompression)
		return func(w io.Writer) io.WriteCloser {
			gz.Reset(w)
			// 0 in the header, which is no time. The zero time.Time would be one in
			// 2042.
			gz.ModTime = time.Unix(0, 0)
			return gz
		}, err
	case Zstd:
		// More than one at a time would cut blocks as goroutines happen to run.
		zs, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		return func(w io.Writer) io.WriteCloser { zs.Reset(w); return zs }, err
	}
	return nil, fmt.Errorf("is none of %v", compressions)
}

// plain is no compression.
type plain struct{ io.Writer }

func (plain) Close() error { return nil }

// counter counts the bytes of the file.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// encoder writes the lines of one file.
type encoder struct {
	lines io.WriteCloser
	size  counter
	roll  int64
	line  []byte
}

// Write adds lines until the file has its size. Whether it has is asked after
// each, and what has left the compressor by then depends on the lines alone: so
// files are cut at the same rows whenever the rows are the same.
func (e *encoder) Write(rows []schema.Row) (int, error) {
	for i := range rows {
		if e.size.n >= e.roll {
			return i, nil
		}
		line, err := schema.AppendJSON(e.line[:0], &rows[i])
		if err != nil {
			return i, err
		}
		e.line = append(line, '\n')
		if _, err := e.lines.Write(e.line); err != nil {
			return i, err
		}
	}
	return len(rows), nil
}

// Close ends the compressed stream.
func (e *encoder) Close() error { return e.lines.Close() }
