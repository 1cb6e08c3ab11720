package known

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// The model: leads, some of one listing, second and text, some of one name, whose
// content, names and listings change; answers of all kinds that show them; a store
// that takes them in through tiny slices and batches, faults and crashes. The
// books are kept by lead, by one who knows which lead is which: email tells.
func TestEveryChangeIsToldOnceWhateverHappens(t *testing.T) {
	for i := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			checkModel(t)
		})
	}
}

func checkModel(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		w := &world{t: t, fs: vfs.NewCrashableMem(), sliceLeads: 3, batchBytes: 300}
		w.openJournal(filepath.Join(dir, fmt.Sprint(n)))
		w.append(journal.Record{Begin: &journal.Begin{ID: "stream", Stream: true}})
		w.open()
		defer func() {
			if err := errors.Join(w.store.Close(), w.journal.Close()); err != nil {
				t.Fatal(err)
			}
		}()
		m := &model{world: w}
		t.Repeat(map[string]func(*rapid.T){
			"enquire": m.enquire, "change": m.change, "answer": m.answer, "another answer": m.answer,
			"advance": m.interrupted, "crash": m.crash, "other record": m.other,
		})
		m.advance()
		m.check(t)
		w.rebuilt()
		if rapid.IntRange(0, 3).Draw(t, "scoped") == 0 { // which takes as long as all else
			w.scoped(modelSeconds)
		}
	})
}

// client is a lead of the model, and what the answers so far said of it.
type client struct {
	second   int
	timeless bool
	item     string
	email    string // of no other lead
	user     string
	text     any
	status   string
	talk     int
	delisted bool

	known struct {
		shown, vanished, strayed bool
		open                     seconds // if it strayed
		messages                 bool
		content                  string // with messages, or without
		user                     string
		version                  int
		events                   []string
	}
}

type model struct {
	*world
	clients []*client
	// deadKnown says that a dead letter was landed.
	deadKnown bool
}

const modelSeconds = 6

// enquire adds one lead or more of the same listing, second and text.
func (m *model) enquire(t *rapid.T) {
	if len(m.clients) > 7 {
		t.Skip("enough")
	}
	n := len(m.clients)
	first := client{
		second: rapid.IntRange(0, modelSeconds-1).Draw(t, "second"), item: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "item"),
		timeless: rapid.IntRange(0, 7).Draw(t, "timeless") == 0, status: "NEW",
	}
	// Leads of the same second and listing that came at another time have other
	// texts: else one that is new and one that is renamed are the same to anybody.
	first.text = fmt.Sprint("text ", n)
	if rapid.Bool().Draw(t, "no text") && !slices.ContainsFunc(m.clients, func(c *client) bool {
		return c.text == nil && c.second == first.second && c.item == first.item && c.timeless == first.timeless
	}) {
		first.text = nil
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "leads") {
		c := first
		c.email = fmt.Sprint(n+i, "@example.com")
		c.user = rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "user")
		if c.timeless {
			c.user = c.email
		}
		m.clients = append(m.clients, &c)
	}
}

func (m *model) change(t *rapid.T) {
	if len(m.clients) == 0 {
		t.Skip("none")
	}
	c := rapid.SampledFrom(m.clients).Draw(t, "lead")
	switch rapid.IntRange(0, 3).Draw(t, "change") {
	case 0:
		c.status = rapid.SampledFrom([]string{"NEW", "RESPONDED"}).Draw(t, "status")
	case 1: // a listing ends, or is back
		delisted := !c.delisted
		for _, other := range m.clients {
			if other.item == c.item {
				other.delisted = delisted
			}
		}
	case 2:
		user := rapid.SampledFrom([]string{"ann", "bob", "cyd"}).Draw(t, "user")
		if slices.ContainsFunc(m.clients, func(other *client) bool {
			return other != c && other.second == c.second && other.item == c.item && other.text == c.text &&
				(other.known.user == user || !other.known.shown && c.known.shown && other.user == c.known.user)
		}) {
			t.Skip("no one could tell who is renamed")
		}
		c.user = user
	case 3:
		c.talk = rapid.IntRange(0, 2).Draw(t, "messages")
	}
}

func (c *client) object(t *rapid.T) object {
	o := object{"item": c.item, "userId": c.user, "email": c.email, "additionalInformation": c.text, "leadStatus": c.status}
	if c.talk > 0 {
		o["memberMessage"] = messages([]string{"one", "two"}[:c.talk]...)
	}
	if !c.timeless {
		fraction := rapid.SampledFrom([]int{0, 0, 0, 500}).Draw(t, "fraction")
		o["submittedTime"] = at(c.second).Add(time.Duration(fraction) * time.Millisecond).Format(time.RFC3339Nano)
	}
	return o
}

func (c *client) content(messages bool) string {
	content := c.user + " " + c.status
	if messages {
		content += fmt.Sprint(" ", c.talk)
	}
	return content
}

// answer lands an answer.
func (m *model) answer(t *rapid.T) {
	from := rapid.IntRange(0, modelSeconds-1).Draw(t, "from")
	to := rapid.IntRange(from+1, modelSeconds).Draw(t, "to")
	one := func(label string, of int) bool { return rapid.IntRange(0, of-1).Draw(t, label) == 0 }
	p := m.page(from, to)
	p.Query.Messages = !one("without messages", 5)
	p.Short = one("short", 8)
	if one("of a batch", 5) {
		p.Batch = "batch"
	}
	if one("of a listing", 6) {
		p.Query.Item = "1"
	}
	if one("of a status", 6) {
		p.Query.Status = "Answered"
	}
	dead, reconciled := one("dead letter", 8), !one("announces nothing", 8)
	strays := one("strays", 4)
	unread := dead && !m.deadKnown // a dead letter that was landed before hides no lead
	covers := p.Batch == "stream" && !p.Short && !unread && reconciled && p.Query.Status == ""

	type sight struct {
		*client
		stray bool
	}
	var shown []sight
	var missing, missed []*client // missed strayed before: they may be elsewhere
	for _, c := range m.clients {
		if p.Query.Item != "" && c.item != p.Query.Item {
			continue
		}
		inside := !c.timeless && c.second >= from && c.second < to
		far := !c.timeless && (c.second < from-1 || c.second > to)
		renamed := c.known.shown && c.known.user != c.user
		switch {
		case c.delisted || p.Query.Status != "" && c.status != "RESPONDED":
			if c.known.strayed && covers {
				missed = append(missed, c)
			}
			if inside && c.known.shown && !c.known.vanished && !c.known.strayed && covers {
				missing = append(missing, c)
			}
		case inside:
			if renamed && (p.Query.Status != "" || c.known.strayed) {
				t.Skip("no one could tell who is renamed")
			}
			shown = append(shown, sight{c, false})
		case (c.timeless || far) && strays:
			if renamed && p.Query.Status != "" {
				t.Skip("no one could tell who is renamed")
			}
			shown = append(shown, sight{c, true})
		case c.known.strayed && covers:
			missed = append(missed, c)
		}
	}
	if len(missing) > 0 {
		for _, s := range shown {
			for _, c := range missing {
				if !s.stray && !s.known.shown && s.second == c.second && s.item == c.item && s.text == c.text {
					t.Skip("no one could tell who is renamed and who is new")
				}
			}
		}
	}
	shown = rapid.Permutation(shown).Draw(t, "order")
	var responses []object
	for _, s := range shown {
		responses = append(responses, s.object(t))
		if !p.Query.Messages {
			delete(responses[len(responses)-1], "memberMessage")
		}
	}
	if dead {
		responses = append(responses, object{"item": "1", "dead": "no lead"})
	}
	p.Body = body(m.t, responses...)
	p.Leads = len(responses)
	if p.TotalLeads = nil; reconciled {
		p.TotalLeads = &p.Leads
	}

	unchanged := false
	if p.Batch == "stream" {
		m.advance()
		m.check(t)
		var err error
		if unchanged, err = m.store.Unchanged(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	events := 0
	for _, s := range shown {
		events += s.seen(p, s.stray, from, to)
	}
	progress := false
	for _, c := range missed {
		k := &c.known
		rest := k.open &^ secondsOf(from, to)
		if k.vanished || rest == k.open {
			continue
		}
		progress = true
		if k.open = rest; rest == 0 {
			missing = append(missing, c)
		}
	}
	for _, c := range missing {
		c.known.vanished = true
		c.tell(schema.Vanished, p)
		events++
	}
	if news := events > 0 || progress || unread; p.Batch == "stream" && unchanged == news {
		t.Fatalf("the answer changes nothing: %v, with %d events by the books", unchanged, events)
	}
	m.append(journal.Record{Page: p})
	m.deadKnown = m.deadKnown || dead
}

// seconds is a set of the model's seconds, and of the two beside them.
type seconds uint16

func secondsOf(from, to int) seconds {
	var s seconds
	for i := from; i < to; i++ {
		s |= 1 << (i + 1)
	}
	return s
}

// seen writes down what it means that an answer over [from, to) shows the lead.
func (c *client) seen(p *journal.Page, stray bool, from, to int) int {
	k := &c.known
	around := secondsOf(from-1, to+1)
	if !k.strayed || k.vanished || k.open&around == 0 {
		k.open = around
	} else {
		k.open &= around
	}
	k.strayed = k.strayed || stray
	if !k.shown {
		k.shown, k.messages, k.content, k.user = true, p.Query.Messages, c.content(p.Query.Messages), c.user
		c.tell(schema.Created, p)
		return 1
	}
	changed := k.vanished
	k.vanished = false
	if p.Query.Messages || !k.messages {
		// Without messages known, nothing that was said is a change.
		if c.content(true) != k.content && (p.Query.Messages && k.messages) ||
			c.content(false) != k.content && !p.Query.Messages ||
			p.Query.Messages && !k.messages && (c.content(false) != k.content || c.talk > 0) {
			changed = true
		}
		k.messages, k.content, k.user = p.Query.Messages, c.content(p.Query.Messages), c.user
	}
	if changed {
		c.tell(schema.Updated, p)
		return 1
	}
	return 0
}

func (c *client) tell(typ schema.EventType, p *journal.Page) {
	k := &c.known
	version := 0
	if p.Batch == "stream" {
		k.version++
		version = k.version
	} else {
		typ = schema.Snapshot
	}
	k.events = append(k.events, fmt.Sprint(typ, " ", version, " ", k.user, " ", strings.Fields(k.content)[1]))
}

// check holds the events to the books.
func (m *model) check(t *rapid.T) {
	told := make(map[string][]string)
	leads := make(map[string]uuid.UUID)
	emails := make(map[uuid.UUID]string)
	for _, e := range m.events(0, m.journal.End()) {
		r := m.row(e)
		email := r.Email.Value
		if id, ok := leads[email]; ok && id != e.Lead {
			t.Fatalf("lead %s has two ids", email)
		}
		if other, ok := emails[e.Lead]; ok && other != email {
			t.Fatalf("%s and %s have one id", email, other)
		}
		leads[email], emails[e.Lead] = e.Lead, email
		told[email] = append(told[email], fmt.Sprint(e.Type, " ", e.Version, " ", r.UserID.Value, " ", r.LeadStatus.Value))
	}
	for _, c := range m.clients {
		if !slices.Equal(told[c.email], c.known.events) {
			t.Fatalf("lead %s: events %q, by the books %q", c.email, told[c.email], c.known.events)
		}
	}
}

// other appends what is not a page.
func (m *model) other(*rapid.T) {
	m.append(journal.Record{Poll: &journal.Poll{Batch: "stream", Windows: []window.Window{span(0, 1)}}})
}

// interrupted takes in what is landed, until its context ends somewhere.
func (m *model) interrupted(t *rapid.T) {
	ctx := &ending{Context: t.Context(), left: rapid.IntRange(0, 20).Draw(t, "steps until the end")}
	if err := m.store.Advance(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// ending is a context that ends after it was asked a number of times.
type ending struct {
	context.Context
	left int
}

func (e *ending) Err() error {
	if e.left--; e.left < 0 {
		return context.Canceled
	}
	return nil
}

// crash loses what is not synced, or any part of it.
func (m *model) crash(t *rapid.T) {
	percent := rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "unsynced data that survives, in percent")
	seed := rapid.Uint64().Draw(t, "seed")
	after := m.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(seed, seed))})
	if err := m.store.Close(); err != nil {
		t.Fatal(err)
	}
	m.fs = after
	m.open()
}
