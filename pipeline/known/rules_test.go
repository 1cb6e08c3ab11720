package known

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// ann and bob are leads of the tests.
var (
	ann = object{
		"item": "1", "submittedTime": stamp(1), "userId": "ann", "email": "ann@example.com", "leadStatus": "NEW",
		"additionalInformation": "hello", "leadFee": object{"amount": object{"value": "12.50", "currency": "EUR"}},
	}
	bob = object{"item": "2", "submittedTime": stamp(2), "userId": "bob", "leadStatus": "NEW", "additionalInformation": "hi"}
)

func stamp(second int) string { return at(second).Format(time.RFC3339) }

func messages(texts ...string) object {
	var all []any
	for i, text := range texts {
		all = append(all, object{"question": object{"messageID": i + 1, "body": text}})
	}
	return object{"memberMessageExchange": all}
}

func reversed(o object) object {
	all := o["memberMessageExchange"].([]any)
	var turned []any
	for i := range all {
		turned = append(turned, all[len(all)-1-i])
	}
	return object{"memberMessageExchange": turned}
}

func TestEvents(t *testing.T) {
	w := newWorld(t)
	w.takes(w.page(0, 10, ann, bob), "created ann 1", "created bob 1")
	w.takes(w.page(0, 10, ann, bob))
	w.takes(w.page(0, 10, with(ann, "leadStatus", "RESPONDED"), bob), "updated ann 2 lead_status")
	w.takes(w.page(0, 10, bob), "vanished ann 3")
	w.takes(w.page(0, 10, bob))
	w.takes(w.page(0, 10, with(ann, "leadStatus", "RESPONDED"), bob), "updated ann 4")
	w.takes(w.page(0, 10), "vanished ann 5", "vanished bob 2")
	w.takes(w.page(0, 10, with(bob, "email", "b@example.com", "leadStatus", "RESPONDED")), "updated bob 3 lead_status,email")
	if got, want := w.store.Stats(), (Stats{Live: 1, Vanished: 1, Events: 8}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	w.rebuilt()
}

// What is no change of a lead makes no event, and the answer need not be landed.
func TestNoChange(t *testing.T) {
	talk := messages("one", "two")
	ann := with(ann, "memberMessage", talk, "leadScore", object{"a": 1, "b": []any{1, 2}})
	for name, again := range map[string][]object{
		"the order of leads":           {bob, ann},
		"the order of messages":        {with(ann, "memberMessage", reversed(talk)), bob},
		"a fraction of the second":     {with(ann, "submittedTime", "2026-09-01T23:59:51.250Z"), bob},
		"the zone of the time":         {with(ann, "submittedTime", "2026-09-02T01:59:51+02:00"), bob},
		"the form of an amount":        {with(ann, "leadFee", object{"amount": object{"value": 12.5, "currency": "EUR"}}), bob},
		"the form of an unknown value": {with(ann, "leadScore", object{"b": []any{1.0, 2}, "a": 1e0}), bob},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.takes(w.page(0, 10, ann, bob), "created ann 1", "created bob 1")
			if same, err := w.store.Unchanged(t.Context(), w.page(0, 10, again...)); err != nil || !same {
				t.Errorf("Unchanged: %v, %v", same, err)
			}
			w.takes(w.page(0, 10, again...))
			w.takes(w.page(0, 10, ann, bob))
		})
	}
}

// A lead has vanished only where an answer has to show it.
func TestVanishedOnlyFromAnswersThatShowAll(t *testing.T) {
	few := 1
	for name, c := range map[string]struct {
		change func(*journal.Page)
		want   []string
	}{
		"complete":           {func(*journal.Page) {}, []string{"vanished ann 2"}},
		"short":              {func(p *journal.Page) { p.Short = true }, nil},
		"announces nothing":  {func(p *journal.Page) { p.TotalLeads = nil }, nil},
		"announces another":  {func(p *journal.Page) { p.TotalLeads = new(int) }, nil},
		"of a status":        {func(p *journal.Page) { p.Query.Status = "Answered" }, nil},
		"of another listing": {func(p *journal.Page) { p.Query.Item = "2" }, nil},
		"of its listing":     {func(p *journal.Page) { p.Query.Item = "1" }, []string{"vanished ann 2"}},
		"of another window":  {func(p *journal.Page) { p.Window = span(2, 10) }, nil},
		"of a batch":         {func(p *journal.Page) { p.Batch = "batch" }, nil},
		"without messages":   {func(p *journal.Page) { p.Query.Messages = false }, []string{"vanished ann 2"}},
		"with a dead letter": {func(p *journal.Page) {
			p.Body = body(t, object{"item": "2", "dead": "no lead"}, bob)
			p.Leads, p.TotalLeads = 2, new(int)
			*p.TotalLeads = 2
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.takes(w.page(0, 10, ann, bob), "created ann 1", "created bob 1")
			p := w.page(0, 10, bob)
			p.Leads, p.TotalLeads = few, &few
			c.change(p)
			w.takes(p, c.want...)
			if c.want == nil {
				w.takes(w.page(0, 10, bob), "vanished ann 2")
			}
		})
	}
}

func TestBatchesAndStreamsKnowOfEachOther(t *testing.T) {
	w := newWorld(t)
	batch := func(responses ...object) *journal.Page {
		p := w.page(0, 10, responses...)
		p.Batch = "batch"
		return p
	}
	w.takes(batch(ann), "snapshot ann 0")
	w.takes(batch(ann))
	w.takes(w.page(0, 10, ann, bob), "created bob 1")
	w.takes(w.page(0, 10, with(ann, "leadStatus", "RESPONDED"), bob), "updated ann 1 lead_status")
	w.takes(batch(with(ann, "leadStatus", "X"), bob), "snapshot ann 0")
	w.takes(w.page(0, 10, with(ann, "leadStatus", "X"), bob))
	w.takes(w.page(0, 10, bob), "vanished ann 2")
	w.takes(batch(ann), "snapshot ann 0")
	w.takes(w.page(0, 10, ann), "vanished bob 2")
	w.takes(w.page(0, 10), "vanished ann 3")
}

func TestAnswersWithoutMessages(t *testing.T) {
	w := newWorld(t)
	plain := func(responses ...object) *journal.Page {
		p := w.page(0, 10, responses...)
		p.Query.Messages = false
		return p
	}
	talked := with(ann, "memberMessage", messages("one"))
	w.takes(plain(ann), "created ann 1")
	w.takes(plain(with(ann, "leadStatus", "X")), "updated ann 2 lead_status")
	w.takes(w.page(0, 10, talked), "updated ann 3 lead_status,message_count,messages")
	w.takes(plain(ann))
	w.takes(plain(with(ann, "leadStatus", "X")))
	w.takes(w.page(0, 10, talked))
	w.takes(plain(), "vanished ann 4")
	// It is back, and what is known of it is what was shown last with messages.
	events := w.take(plain(ann))
	if got := w.words(events); len(got) != 1 || got[0] != "updated ann 5" || w.row(events[0]).MessageCount != 1 {
		t.Errorf("back without messages: %q", got)
	}
	w.takes(w.page(0, 10, talked))
	w.rebuilt()
}

func TestRenamedBuyer(t *testing.T) {
	w := newWorld(t)
	first := w.take(w.page(0, 10, ann, bob))
	renamed := with(ann, "userId", "anna")
	second := w.take(w.page(0, 10, renamed, bob))
	if got := w.words(second); len(got) != 1 || got[0] != "updated anna 2 user_id" || second[0].Lead != first[0].Lead || second[0].Row == second[0].Lead {
		t.Fatalf("renamed: %q %+v", got, second)
	}
	w.takes(w.page(0, 10, renamed, bob))
	// One who has the name now is another lead.
	third := w.take(w.page(0, 10, renamed, with(ann, "email", "other@example.com"), bob))
	if got := w.words(third); len(got) != 1 || got[0] != "created ann 1" || third[0].Lead == first[0].Lead {
		t.Fatalf("the former name: %q %+v", got, third)
	}
	w.takes(w.page(0, 10, renamed, with(ann, "email", "other@example.com"), bob))
	w.takes(w.page(0, 10, with(ann, "email", "other@example.com"), bob), "vanished anna 3")
	back := w.take(w.page(0, 10, with(renamed, "userId", "annette"), with(ann, "email", "other@example.com"), bob))
	if got := w.words(back); len(got) != 1 || got[0] != "updated annette 4 user_id" || back[0].Lead != first[0].Lead {
		t.Fatalf("back under another name: %q", got)
	}
	w.rebuilt()
}

// Leads of one listing, second and text, of which one or both are renamed.
func TestRenamedTwins(t *testing.T) {
	bare := object{"item": "1", "submittedTime": stamp(1)}
	a, b := with(bare, "userId", "a", "email", "a@example.com"), with(bare, "userId", "b", "email", "b@example.com")
	// Of one buyer, so that their ids are those of twins.
	c, d := with(a, "email", "c@example.com"), with(a, "email", "d@example.com")
	name := func(o object, user string) object { return with(o, "userId", user) }
	for _, test := range []struct {
		name  string
		twins []object
		then  []object
		want  []string // by the twins' order
	}{
		{"one", []object{a, b}, []object{name(a, "z"), b}, []string{"updated z 2 user_id", ""}},
		{"the other", []object{a, b}, []object{a, name(b, "1")}, []string{"", "updated 1 2 user_id"}},
		{"both", []object{a, b}, []object{name(b, "1"), name(a, "z")}, []string{"updated z 2 user_id", "updated 1 2 user_id"}},
		{"one of one buyer", []object{c, d}, []object{name(c, "z"), d}, []string{"updated z 2 user_id", ""}},
		{"both of one buyer", []object{c, d}, []object{name(d, "z"), name(c, "z")}, []string{"updated z 2 user_id", "updated z 2 user_id"}},
		{"to one buyer", []object{a, b}, []object{name(b, "z"), name(a, "z")}, []string{"updated z 2 user_id", "updated z 2 user_id"}},
		{"one of one buyer gone", []object{c, d}, []object{d}, []string{"vanished a 2", ""}},
		{"both of one buyer answered", []object{c, d}, []object{with(c, "leadStatus", "X"), with(d, "leadStatus", "X")}, []string{"updated a 2 lead_status", "updated a 2 lead_status"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			first := w.take(w.page(0, 10, test.twins...))
			events := w.take(w.page(0, 10, test.then...))
			words := w.words(events)
			for i, want := range test.want {
				got := ""
				for n, e := range events {
					if e.Lead == first[i].Lead {
						got += words[n]
						if mail := w.row(e).Email.Value; mail != test.twins[i]["email"] {
							t.Errorf("%s has become %s", test.twins[i]["email"], mail)
						}
					}
				}
				if got != want {
					t.Errorf("lead %d: %q, want %q (%q)", i, got, want, words)
				}
			}
			w.takes(w.page(0, 10, test.then...))
			w.rebuilt()
		})
	}
}

// Leads that nothing tells apart but what changes: each change makes one event,
// whatever the order of their contents, by which their ids go.
func TestTwinsOfOneBuyer(t *testing.T) {
	twin := with(bob, "leadStatus", nil)
	one := func(status string) object { return with(twin, "leadStatus", status) }
	for _, status := range []string{"A", "B", "C", "D", "E", "F"} {
		w := newWorld(t)
		w.takes(w.page(0, 10, one("X"), one("Y")), "created bob 1", "created bob 1")
		w.takes(w.page(0, 10, one("Y"), one(status)), "updated bob 2 lead_status")
		w.takes(w.page(0, 10, one(status), one("Y")))
		w.takes(w.page(0, 10, one("Y")), "vanished bob 3")
		w.takes(w.page(0, 10, one("Y")))
		third := w.take(w.page(0, 10, one("Y"), one(status), one("Z")))
		if all := ids(w.events(0, w.journal.End())); len(third) != 2 || len(slices.Compact(slices.SortedFunc(slices.Values(all), compareIDs))) != 3 {
			t.Errorf("three leads have the ids %v", all)
		}
		w.rebuilt()
	}
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

// An answer that was filtered by status says nothing of who was renamed.
func TestNoRenamesInFilteredAnswers(t *testing.T) {
	w := newWorld(t)
	first := w.take(w.page(0, 10, ann))
	p := w.page(0, 10, with(ann, "userId", "other", "leadStatus", "RESPONDED"))
	p.Query.Status = "Answered"
	if events := w.take(p); len(events) != 1 || events[0].Lead == first[0].Lead {
		t.Errorf("events %+v", events)
	}
}

func TestUndatedAndStrayLeads(t *testing.T) {
	w := newWorld(t)
	timeless, stray := with(bob, "submittedTime", nil, "userId", "eve"), with(bob, "submittedTime", stamp(50), "userId", "sid")
	w.takes(w.page(0, 10, ann, timeless, stray), "created ann 1", "created eve 1", "created sid 1")
	w.takes(w.page(0, 9, ann)) // they may have been created in the second beside that
	w.takes(w.page(0, 10, with(stray, "leadStatus", "X"), ann), "updated sid 2 lead_status")
	// Shown in its place it is the same lead, and stays one that no page has to show.
	w.takes(w.page(40, 60, with(stray, "leadStatus", "X"), timeless))
	w.takes(w.page(40, 60, stray, timeless), "updated sid 3 lead_status")
	// Out of its place, a lead of another name is another lead.
	w.takes(w.page(0, 10, ann, with(stray, "userId", "sidney")), "created sidney 1")
	w.takes(w.page(20, 30, ann)) // and so does one that strays later
	if got, want := w.store.Stats(), (Stats{Live: 4, Undated: 4, Events: 6}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	// They have vanished when they are nowhere where they can be.
	w.takes(w.page(0, 10))
	w.takes(w.page(19, 61), "vanished ann 2", "vanished sid 4", "vanished eve 2")
	w.takes(w.page(-1, 11), "vanished sidney 2")
	w.takes(w.page(0, 10, timeless), "updated eve 3")
	if got, want := w.store.Stats(), (Stats{Live: 1, Vanished: 3, Undated: 4, Events: 11}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	w.rebuilt()
}

// A lead without a time is looked for window by window; only whole answers of the
// stream count, and only those to the right question.
func TestALeadWithoutATimeVanishes(t *testing.T) {
	w := newWorld(t)
	timeless := with(bob, "submittedTime", nil)
	w.takes(w.page(0, 10, timeless), "created bob 1")
	unchanged := func(want bool, pages ...*journal.Page) {
		t.Helper()
		for _, p := range pages {
			w.advance()
			if got, err := w.store.Unchanged(t.Context(), p); err != nil || got != want {
				t.Errorf("Unchanged of %s: %v, %v; want %v", p.Window, got, err, want)
			}
			w.takes(p)
		}
	}
	short, other, filtered, batch := w.page(-5, 15), w.page(-5, 15), w.page(-5, 15), w.page(-5, 15)
	short.Short, other.Query.Item, filtered.Query.Status, batch.Batch = true, "1", "Answered", "batch"
	w.takes(short)
	w.takes(batch)
	unchanged(true, other, filtered, w.page(11, 20)) // they say nothing about it
	unchanged(false, w.page(-3, 4), w.page(6, 12))   // [4, 6) is left
	unchanged(true, w.page(-3, 4), w.page(6, 12), w.page(4, 6, timeless))
	w.takes(w.page(4, 5))
	w.takes(w.page(3, 6, timeless)) // it is still there, in [5, 6)
	w.takes(w.page(5, 6), "vanished bob 2")
	w.takes(w.page(0, 10, timeless), "updated bob 3")
	w.takes(w.page(-1, 11), "vanished bob 4")
	w.rebuilt()
}

// A dead letter that has always been there does not keep leads from vanishing.
func TestALeadVanishesBesideADeadLetter(t *testing.T) {
	w := newWorld(t)
	dead := object{"item": "1", "dead": "no lead"}
	w.takes(w.page(0, 10, ann, bob, dead), "created ann 1", "created bob 1")
	w.takes(w.page(0, 10, bob, dead), "vanished ann 2")
}

// A lead that strayed is told from its twin that did not, though a row's id may
// have been the other's.
func TestStrayTwin(t *testing.T) {
	w := newWorld(t)
	late := with(ann, "submittedTime", "2026-09-01T23:59:51.5Z", "email", "late@example.com", "leadStatus", "RESPONDED")
	strayed := with(late, "submittedTime", stamp(1))
	w.takes(w.page(0, 10, ann, late), "created ann 1", "created ann 1")
	w.takes(w.page(20, 30, strayed))
	p := w.page(0, 10, strayed)
	p.Query.Status = "Answered"
	w.takes(p)
}

func TestDeadLettersAreLandedOnce(t *testing.T) {
	w := newWorld(t)
	dead := func(texts ...string) *journal.Page {
		responses := []object{ann}
		for _, text := range texts {
			responses = append(responses, object{"item": "1", "dead": text})
		}
		return w.page(0, 10, responses...)
	}
	unchanged := func(p *journal.Page, want bool) {
		t.Helper()
		w.advance()
		if got, err := w.store.Unchanged(t.Context(), p); err != nil || got != want {
			t.Errorf("Unchanged: %v, %v; want %v", got, err, want)
		}
	}
	w.take(dead())
	unchanged(dead(), true)
	unchanged(dead("x"), false)
	w.take(dead("x", "y"))
	unchanged(dead("x", "y"), true)
	unchanged(dead("y", "x"), true)
	unchanged(dead("x"), true) // the other was landed, and does not change by being gone
	other := dead("x", "y")
	other.Window = span(0, 11)
	unchanged(other, true)
	unchanged(dead("x", "z"), false)
}
