package deliver

import (
	"container/list"
	"sync"
	"time"
	"unsafe"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// sharedBytes bounds the memory of the pages that are kept for sinks that have not
// read them yet: so far apart they may be, four to five pages of 1,800 leads. The one
// that is ahead reads and flattens, and waits where there is no room; the others only
// write, and so keep up.
const sharedBytes = 24 << 20

// maxAsked bounds what is remembered of parts that not all have asked for, at some 100
// bytes each.
const maxAsked = 1 << 14

// Who is ahead waits for the others as long as one of them comes nearer within that
// time: it asks for what others have had, and not so many parts ago that it would take
// long. One that is down, has nothing to do, or is far behind must not hold anybody
// back: after a wait in vain so many times there is none, which doubles each time.
const (
	nearParts   = 128
	catchUp     = 500 * time.Millisecond
	maxNoWaits  = 1 << 12
	firstNoWait = 4
)

// sharing lets several readers of a page share the work of flattening it: who asks
// for what another is just flattening waits for that, and what is flattened is
// kept until as many have asked for it as there are readers, or there is no room.
// What had to go for lack of room is flattened again by who comes to it later, and
// is then kept only for those who have not had it either: else it would take the
// room of what is still wanted, and once apart the readers would stay apart.
// Who is ahead of the others by as much as there is room for waits a little, so that
// they stay together; readers that are far apart all the same just do not meet. It is
// all about time and memory: what is returned is the same as without.
type sharing struct {
	limit int64

	mu      sync.Mutex
	readers int
	resting int                        // of the readers, those that wait for more to be landed
	asked   map[pagePart]askedPart     // as long as not all have asked for it
	parts   int                        // that were asked for first
	nearer  int                        // how often one asked for what others had had lately
	held    map[pagePart]*list.Element // of *flattening
	recent  *list.List                 // the one asked for last in front
	bytes   int64
	making  int           // parts that are being flattened
	usual   int64         // size of the part that was flattened last
	dropped chan struct{} // closed when there is room, or one reader less
	waiting int           // readers that wait for that
	noWaits int           // how often not to wait, after a wait in vain
	inVain  int           // what noWaits was set to
}

// askedPart is a part that so many readers have asked for, and how many parts there
// were before it.
type askedPart struct{ readers, before int }

// pagePart is what is flattened as one: a page, or a slice of a large one.
type pagePart struct {
	seq    journal.Seq
	within window.Window
}

// flattening is a part that is flattened, or being so.
type flattening struct {
	part   pagePart
	done   chan struct{} // closed when what follows is set
	result flatten.Result
	err    error
	// yields says that who asked first is behind others, and not by much: it goes
	// before what these have made, which who is behind comes to soon.
	yields bool

	bytes int64 // guarded by sharing.mu
}

func newSharing(limit int64) *sharing {
	return &sharing{limit: limit, asked: make(map[pagePart]askedPart), held: make(map[pagePart]*list.Element), recent: list.New(), dropped: make(chan struct{})}
}

// join adds a reader, until the function that it returns is called.
func (s *sharing) join() (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.readers--
		if s.readers < 2 {
			s.shrink(0)
			clear(s.asked)
		}
		s.wake()
	}
}

// rest says that a reader has all there is, until the function that it returns is
// called. Nobody waits for it meanwhile.
func (s *sharing) rest() (resume func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resting++
	s.wake()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.resting--
	}
}

// freeAtRest drops what is kept if all readers rest, and reports whether they do.
func (s *sharing) freeAtRest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resting < s.readers {
		return false
	}
	s.shrink(0)
	clear(s.asked)
	return true
}

// joined is how many readers there are.
func (s *sharing) joined() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readers
}

// shared reports whether there is somebody to share with.
func (s *sharing) shared() bool { return s.joined() > 1 }

// get returns the part, which flatten makes if nobody has. It blocks while another
// makes it, and for at most catchUp at a time while the others are too far behind.
func (s *sharing) get(part pagePart, flatten func() (flatten.Result, error)) (flatten.Result, error) {
	return s.begin(part, flatten)()
}

// begin asks for the part and returns the function that returns it, which must be
// called: others may wait for what it makes. begin blocks while the others are too
// far behind, the function while another makes the part.
func (s *sharing) begin(part pagePart, work func() (flatten.Result, error)) func() (flatten.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if e, ok := s.held[part]; ok {
			f := e.Value.(*flattening)
			s.recent.MoveToFront(e)
			if s.note(part) {
				s.drop(e)
				s.noWaits, s.inVain = 0, 0 // all have met
			}
			return func() (flatten.Result, error) {
				<-f.done
				return f.result, f.err
			}
		}
		if s.asked[part].readers > 0 || !s.wait() {
			break // who is behind does not wait: the others do, for it
		}
	}
	f := &flattening{part: part, done: make(chan struct{}), yields: s.near(part)}
	if s.note(part) {
		return work // all others have had it
	}
	e := s.recent.PushFront(f)
	s.held[part] = e
	s.making++
	return func() (flatten.Result, error) {
		f.result, f.err = work()
		close(f.done)
		s.keep(e)
		return f.result, f.err
	}
}

// near reports whether others have asked for the part, not many parts ago.
func (s *sharing) near(part pagePart) bool {
	a, ok := s.asked[part]
	return ok && s.parts-a.before <= nearParts
}

// note takes down that a reader asks for the part, and reports whether all have.
func (s *sharing) note(part pagePart) (all bool) {
	if s.near(part) {
		s.nearer++
	}
	a, ok := s.asked[part]
	if !ok {
		a.before = s.parts
		s.parts++
	}
	if a.readers++; a.readers >= s.readers {
		delete(s.asked, part)
		return true
	}
	if len(s.asked) >= maxAsked {
		clear(s.asked) // of readers that are so far apart, nobody meets anybody
	}
	s.asked[part] = a
	return false
}

// keep takes in what was flattened, if it is still held.
func (s *sharing) keep(e *list.Element) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := e.Value.(*flattening)
	s.making--
	if s.held[f.part] != e {
		return // all who wanted it have it
	}
	if f.err != nil {
		s.drop(e) // the next to ask tries again
		delete(s.asked, f.part)
		return
	}
	f.bytes = sizeOf(f.result)
	s.usual = f.bytes
	s.bytes += f.bytes
	if f.yields && s.bytes > s.limit {
		s.drop(e)
	}
	s.shrink(s.limit)
}

// wait waits, for who is ahead of all, for room for one more part, if another reader
// may make it, and reports whether to look again whether there is. The caller holds mu,
// which is free meanwhile. The last reader that is at work never waits.
func (s *sharing) wait() bool {
	if len(s.held) == 0 || s.bytes+int64(s.making+1)*s.usual <= s.limit || s.waiting+s.resting+1 >= s.readers {
		return false
	}
	if s.noWaits > 0 {
		s.noWaits--
		return false
	}
	s.waiting++
	dropped, nearer := s.dropped, s.nearer
	s.mu.Unlock()
	limit := time.NewTimer(catchUp)
	defer limit.Stop()
	came := false
	select {
	case <-dropped:
		came = true
	case <-limit.C:
	}
	s.mu.Lock()
	s.waiting--
	came = came || s.nearer != nearer
	if !came {
		s.inVain = min(max(2*s.inVain, firstNoWait), maxNoWaits)
		s.noWaits = s.inVain
	}
	return came
}

// wake ends all waits. The caller holds mu.
func (s *sharing) wake() {
	close(s.dropped)
	s.dropped = make(chan struct{})
}

// shrink forgets what was not asked for the longest, until what is kept has at
// most that size. What is being flattened has none yet.
func (s *sharing) shrink(limit int64) {
	for e := s.recent.Back(); e != nil && s.bytes > limit; {
		older := e
		e = e.Prev()
		if older.Value.(*flattening).bytes > 0 {
			s.drop(older)
		}
	}
}

func (s *sharing) drop(e *list.Element) {
	f := s.recent.Remove(e).(*flattening)
	s.bytes -= f.bytes
	delete(s.held, f.part)
	s.wake()
}

// sizeOf estimates how much memory keeping the result keeps.
func sizeOf(r flatten.Result) int64 {
	// A lead's text with its names is a bit longer than its values.
	const textShare = 3 / 2.
	n, messages := 0, 0
	for _, rows := range [][]schema.Row{r.Rows, r.Undated} {
		for i := range rows {
			n += textOf(&rows[i])
			messages += len(rows[i].Messages.Value)
		}
	}
	for _, d := range r.Dead {
		n += len(d.Raw)
	}
	const row, message = int64(unsafe.Sizeof(schema.Row{})), int64(unsafe.Sizeof(schema.Message{}))
	return 1 + int64(float64(n)*textShare) + row*int64(len(r.Rows)+len(r.Undated)) + message*int64(messages)
}

// textOf is how many bytes of text a row has, in the columns that can have many.
func textOf(r *schema.Row) int {
	const short = 400 // ids, hash, and what a person or a car is called
	n := short + len(r.ItemTitle.Value) + len(r.AdditionalInformation.Value) + len(r.Extra.Value)
	for i := range r.Messages.Value {
		n += len(r.Messages.Value[i].Question.Value) + len(r.Messages.Value[i].Response.Value)
	}
	return n
}
