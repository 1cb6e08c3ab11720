package flatten

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Cut is a page whose leads were sorted by time, roughly: into pieces of equal
// width, each of which can be flattened without looking at the others. A page that
// is too large to be flattened whole is so read once, and not once for each slice.
//
// A piece is an answer of its own, as JSON, compressed. Nothing of a Cut changes
// once it is made; it may be used concurrently.
type Cut struct {
	flattener Flattener
	page      *journal.Page // without its body
	width     time.Duration
	pieces    [][][]byte // frames of zstd, by piece
	outside   Result     // what belongs to no window
	size      int64
}

// Cut cuts the page into pieces of that width, in whole seconds. Its memory is that
// of the compressed pieces, and a buffer for each. The error is as Page's.
func (f Flattener) Cut(p *journal.Page, width time.Duration) (*Cut, error) {
	body, err := gunzip(p.Body)
	if err != nil {
		return nil, err
	}
	defer gzipReaders.Put(body)
	page := *p
	page.Body = nil
	n := int((p.Window.Length() + width - 1) / width)
	c := &cutter{
		builder: builder{flattener: f, page: &page}, // within no window: it takes what is outside
		cut:     &Cut{flattener: f, page: &page, width: width, pieces: make([][][]byte, n)},
		open:    make([]piece, n),
	}
	if c.packer, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true)); err != nil {
		return nil, err
	}
	if _, _, err := readAnswer(newStream(body, true, 0), c); err != nil {
		if _, ok := errors.AsType[*CorruptError](err); !ok {
			err = &CorruptError{Err: err}
		}
		return nil, err
	}
	for i := range c.open {
		c.pack(i)
	}
	identify(c.undated.rows)
	c.cut.outside = Result{Undated: c.undated.rows, Dead: c.letters, Unfit: c.undated.unfit, UnfitUndated: c.undated.unfit}
	return c.cut, nil
}

// Size is the size of the pieces in bytes.
func (c *Cut) Size() int64 { return c.size }

// Source is the page that was cut, without its body. It is not to be changed.
func (c *Cut) Source() *journal.Page { return c.page }

// Page returns what Flattener.Page returns of the page that was cut.
func (c *Cut) Page(within window.Window) (Result, error) {
	within = within.Intersect(c.page.Window)
	b := builder{flattener: c.flattener, page: c.page, within: within}
	if !within.Empty() {
		first := int(within.From.Sub(c.page.Window.From) / c.width)
		last := int((within.To.Sub(c.page.Window.From) - 1) / c.width)
		for i := first; i <= last; i++ {
			if err := c.read(i, &b); err != nil {
				return Result{}, err
			}
		}
	}
	identify(b.dated.rows)
	r := c.outside
	r.Rows, r.unfit = b.dated.rows, b.dated.perRow()
	r.Unfit += b.dated.unfit
	return r, nil
}

// read reads one piece.
func (c *Cut) read(i int, v visitor) error {
	frames := make([]io.Reader, len(c.pieces[i]))
	for j, frame := range c.pieces[i] {
		frames[j] = bytes.NewReader(frame)
	}
	unpacker := unpackers.Get().(*zstd.Decoder)
	defer unpackers.Put(unpacker)
	if err := unpacker.Reset(io.MultiReader(frames...)); err != nil {
		return err
	}
	_, _, err := readAnswer(newStream(io.MultiReader(strings.NewReader(cutBegin), unpacker, strings.NewReader(cutEnd)), true, 0), v)
	return err
}

// unpackers decompress pieces in the goroutine that reads.
var unpackers = sync.Pool{New: func() any {
	d, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true)) // these options are right
	return d
}}

// What stands around the listings of a piece.
const (
	cutBegin = `{"classifiedLeads":[`
	cutEnd   = `]}`
)

// cutter is the visitor of Cut: what belongs to no window goes to the rows, as in
// Page, and the other leads with their listings to the pieces.
type cutter struct {
	builder
	cut    *Cut
	packer *zstd.Encoder
	open   []piece
	// Of the open listing: its members, each with a comma before, and the pieces
	// that have some of its leads.
	members []byte
	touched []int
}

// piece is the end of a piece that is not packed yet.
type piece struct {
	text []byte
	// some says that it has a listing, within that the open one is among them.
	some, within bool
}

// packBytes is how much of a piece is packed at a time.
const packBytes = 64 << 10

func (c *cutter) openListing() {
	c.builder.openListing()
	c.members, c.touched = c.members[:0], c.touched[:0]
}

func (c *cutter) listed(name string, v value) {
	c.builder.listed(name, v)
	c.members = append(c.members, ',')
	c.members, _ = jsontext.AppendQuote(c.members, name) // names are valid, see nameOf
	c.members = append(c.members, ':')
	c.members = append(c.members, v.raw()...)
}

func (c *cutter) lead(v value) {
	c.builder.lead(v)
	submitted := submittedTime(v)
	if !submitted.Valid || !c.page.Window.Contains(submitted.Value) {
		return
	}
	i := int(submitted.Value.Sub(c.page.Window.From) / c.cut.width)
	p := &c.open[i]
	switch {
	case p.within:
		p.text = append(p.text, ',')
	default:
		if p.some {
			p.text = append(p.text, ',')
		}
		p.text = append(p.text, `{"responses":[`...)
		p.some, p.within = true, true
		c.touched = append(c.touched, i)
	}
	p.text = append(p.text, v.raw()...)
}

func (c *cutter) closeListing() {
	c.builder.closeListing()
	for _, i := range c.touched {
		p := &c.open[i]
		p.text = append(p.text, ']')
		p.text = append(p.text, c.members...)
		p.text = append(p.text, '}')
		p.within = false
		if len(p.text) >= packBytes {
			c.pack(i)
		}
	}
}

// pack packs what a piece has.
func (c *cutter) pack(i int) {
	p := &c.open[i]
	if len(p.text) == 0 {
		return
	}
	frame := bytes.Clone(c.packer.EncodeAll(p.text, nil))
	c.cut.pieces[i] = append(c.cut.pieces[i], frame)
	c.cut.size += int64(len(frame))
	p.text = p.text[:0]
}
