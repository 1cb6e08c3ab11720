package ndjson

import (
	"bytes"
	"io"
)

// chunkBytes is how much text is handed to the compressor at a time.
const chunkBytes = 128 << 10

// slackBytes is more than a compressor holds back, and than it adds to what it
// cannot make smaller: zstd a block of 128 KiB, gzip some 64 KiB, and a few bytes
// for each block.
const slackBytes = 1 << 20

// press compresses the text of one file after another. While a chunk of text is
// filled, the one before it may be compressed in a goroutine beside, which touches
// memory alone: what comes of it is written by the press's owner, so that a press
// that is left behind does nothing to a file.
//
// Compressors cut their blocks by the bytes that they were given, not by the calls,
// so the file is the same whatever the chunks, and beside or not.
type press struct {
	compression
	// beside says whether chunks are compressed in a goroutine.
	beside bool

	filling []byte        // the chunk that lines are added to
	pressed []byte        // the one that is being compressed, or was
	out     bytes.Buffer  // what came of it
	busy    bool          // pressed and out are the goroutine's
	done    chan struct{} // gets one when they are not any more

	w       io.Writer
	failed  error // what w said
	written int64 // bytes that w got
	pending int64 // bytes of text that the compressor got since, as far as is known
}

func newPress(c compression, beside bool) *press {
	return &press{compression: c, beside: beside, done: make(chan struct{}, 1)}
}

// begin begins a file. The one before must have come to its end.
func (p *press) begin(w io.Writer) {
	p.filling = p.filling[:0]
	p.out.Reset()
	p.Reset(&p.out)
	p.w, p.failed, p.written, p.pending = w, nil, 0, 0
}

// reached reports whether the compressor, given all lines so far, has let out as
// many bytes as size. It waits for the compressor only where that may be.
func (p *press) reached(size int64) (bool, error) {
	if p.written+p.pending+int64(len(p.filling))+slackBytes < size {
		return false, nil
	}
	if err := p.compress(false); err != nil {
		return false, err
	}
	return p.written >= size, nil
}

// fill hands the chunk over if it is full.
func (p *press) fill() error {
	if len(p.filling) < chunkBytes {
		return nil
	}
	return p.compress(p.beside)
}

// compress gives the chunk to the compressor, having written what came of the one
// before. It does not wait for it if it is compressed beside.
func (p *press) compress(beside bool) error {
	if err := p.collect(); err != nil {
		return err
	}
	if len(p.filling) == 0 {
		return nil // gzip would write its header
	}
	p.filling, p.pressed = p.pressed[:0], p.filling
	p.pending += int64(len(p.pressed))
	if beside {
		p.busy = true
		go p.run()
		return nil
	}
	if _, err := p.compression.Write(p.pressed); err != nil {
		return err
	}
	return p.collect()
}

// run compresses the chunk beside its owner.
func (p *press) run() {
	_, _ = p.compression.Write(p.pressed) // into memory, which does not fail
	p.done <- struct{}{}
}

// collect writes what came of the chunk that was handed over last.
func (p *press) collect() error {
	if p.busy {
		<-p.done
		p.busy = false
	}
	// What the compressor holds back of it is less than the slack.
	p.pending = 0
	if p.failed == nil {
		var n int
		n, p.failed = p.w.Write(p.out.Bytes())
		p.written += int64(n)
	}
	p.out.Reset()
	return p.failed
}

// end completes the file.
func (p *press) end() error {
	if err := p.compress(false); err != nil {
		return err
	}
	if err := p.Close(); err != nil {
		return err
	}
	return p.collect()
}
