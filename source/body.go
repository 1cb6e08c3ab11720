package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// bodyLimits bound what is accepted of one answer.
type bodyLimits struct {
	// wire is in bytes of gzip, as they are kept; json in bytes decompressed.
	wire, json int64
	// whole is in bytes decompressed, for windows that can be split; 0 for json.
	whole int64
	// From suspicious bytes decompressed on, there must be at least one byte of
	// gzip for ratio of them.
	suspicious, ratio int64
}

// defaultBodyLimits let pages of hundreds of megabytes pass, but only of a second:
// wider windows grow over times without leads, and what they hold behind these is
// read part by part, at the cost of a few calls, rather than kept in memory. Leads
// compress to a tenth or a thirtieth; a bomb, to a thousandth.
var defaultBodyLimits = bodyLimits{wire: 128 << 20, json: 512 << 20, whole: 32 << 20, suspicious: 32 << 20, ratio: 400}

// of returns the limits of an answer for a window.
func (l bodyLimits) of(w window.Window) bodyLimits {
	if l.whole > 0 && w.Length() > window.Second {
		l.json = min(l.json, l.whole)
	}
	return l
}

var errEncoding = errors.New("it has an encoding that was not asked for")

// maxErrorBytes bounds what is read of an answer that is no page.
const maxErrorBytes = 64 << 10

// wireReader is the body as it arrives. Its errors are of this package's types.
type wireReader struct {
	body     io.Reader
	failure  func(error) error
	received *atomic.Int64
	n        int64
}

func (r *wireReader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	r.n += int64(n)
	r.received.Add(int64(n))
	if err != nil && err != io.EOF {
		err = r.failure(err)
	}
	return n, err
}

// jsonReader is the body decompressed, within limits.
type jsonReader struct {
	json   io.Reader
	wire   *wireReader // nil if the body came uncompressed
	limits bodyLimits
	n      int64
}

func (r *jsonReader) Read(p []byte) (int, error) {
	n, err := r.json.Read(p)
	r.n += int64(n)
	switch {
	case r.n > r.limits.json:
		return n, &TooLargeError{Limit: size(r.limits.json) + " of JSON"}
	case r.wire != nil && r.n > r.limits.suspicious && r.n/r.limits.ratio > r.wire.n:
		return n, &TooLargeError{Limit: fmt.Sprintf("%d bytes of JSON for each byte of gzip", r.limits.ratio)}
	}
	return n, err
}

// keeper keeps what is written to it, up to a limit.
type keeper struct {
	bytes.Buffer
	limit int64
}

func (k *keeper) Write(p []byte) (int, error) {
	if int64(k.Len()+len(p)) > k.limit {
		return 0, &TooLargeError{Limit: size(k.limit) + " of gzip"}
	}
	return k.Buffer.Write(p)
}

// readBody reads an answer to its end, in one pass, and returns it as gzip
// together with what is in it. A body that came as gzip is kept byte by byte,
// others are compressed. Memory is needed for the gzip only.
func readBody(answer *http.Response, asked window.Window, wire *wireReader, limits bodyLimits) ([]byte, flatten.Inspection, error) {
	kept := &keeper{limit: limits.wire}
	if n := answer.ContentLength; n > 0 && n <= limits.wire {
		kept.Grow(int(n))
	}
	encoding := strings.ToLower(strings.TrimSpace(answer.Header.Get("Content-Encoding")))
	arriving := bufio.NewReader(wire)
	magic, err := arriving.Peek(2)
	if err != nil && err != io.EOF {
		return nil, flatten.Inspection{}, err
	}
	// No JSON begins as gzip does, so a server that forgets the header is
	// understood all the same.
	if encoding == "gzip" || encoding == "x-gzip" || bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		found, err := inspectGzip(io.TeeReader(arriving, kept), asked, wire, limits)
		return kept.Bytes(), found, broken(err)
	}
	if encoding != "" && encoding != "identity" {
		return nil, flatten.Inspection{}, &BrokenError{errEncoding}
	}
	zipper, err := gzip.NewWriterLevel(kept, gzip.BestSpeed)
	if err != nil {
		return nil, flatten.Inspection{}, err
	}
	found, err := flatten.Inspector{Asked: asked}.Inspect(io.TeeReader(&jsonReader{json: arriving, limits: limits}, zipper))
	if err == nil {
		err = zipper.Close()
	}
	return kept.Bytes(), found, broken(err)
}

func inspectGzip(arriving io.Reader, asked window.Window, wire *wireReader, limits bodyLimits) (flatten.Inspection, error) {
	unzipper, err := gzip.NewReader(arriving)
	if err != nil {
		return flatten.Inspection{}, err
	}
	defer unzipper.Close()
	json := &jsonReader{json: unzipper, wire: wire, limits: limits}
	found, err := flatten.Inspector{Asked: asked}.Inspect(json)
	if err != nil {
		return flatten.Inspection{}, err
	}
	// The checksum is compared at the very end, which is past the end of the JSON.
	if _, err := io.Copy(io.Discard, json); err != nil {
		return flatten.Inspection{}, err
	}
	return found, nil
}

// broken makes what the decompressor and the parser find a *BrokenError. Errors
// that came up through them, of the connection and of limits, stay what they are.
func broken(err error) error {
	if err == nil {
		return nil
	}
	if typed := known(err); typed != nil {
		return typed
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err // of the caller's context; wireReader lets no other pass
	}
	text := words(err.Error(), maxWords)
	switch {
	case errors.Is(err, gzip.ErrHeader):
		text = "it is no gzip"
	case errors.Is(err, gzip.ErrChecksum):
		text = "its gzip has a wrong checksum"
	case errors.Is(err, io.ErrUnexpectedEOF):
		text = "it ends too early"
	}
	return &BrokenError{newNetworkError(text, err)}
}

// size is a number of bytes in words.
func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
