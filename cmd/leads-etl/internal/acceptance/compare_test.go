package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/source/simulator/oracle"
)

// findings are what is wrong with the events of a stream.
type findings struct {
	events, leads int
	// lost: leads, and changes that a poll must have seen, without an event. twice:
	// events that are there again. stale: leads whose last event is not the truth.
	// foreign: leads that the truth does not know. wrong: all else.
	lost, twice, stale, foreign, wrong []string
	// missed are versions between others that a poll seems to have seen, by the
	// clock of the stand-in: close calls are misjudged, so they are told, and do
	// not fail a test.
	missed []string
}

func (f *findings) String() string {
	return fmt.Sprintf("%d events of %d leads: %d lost, %d twice, %d stale, %d foreign, %d wrong",
		f.events, f.leads, len(f.lost), len(f.twice), len(f.stale), len(f.foreign), len(f.wrong))
}

func (f *findings) sum() int {
	return len(f.lost) + len(f.twice) + len(f.stale) + len(f.foreign) + len(f.wrong)
}

// wantNone fails the test if there are any.
func (f *findings) wantNone(t testing.TB) {
	t.Helper()
	t.Log(f)
	if len(f.missed) > 0 {
		t.Logf("missed, by the clock: %v", some(f.missed))
	}
	if f.sum() > 0 {
		t.Errorf("lost %v\ntwice %v\nstale %v\nforeign %v\nwrong %v", some(f.lost), some(f.twice), some(f.stale), some(f.foreign), some(f.wrong))
	}
}

// wantTruth asserts that compareTruth finds nothing.
func wantTruth(t testing.TB, events rows, history truth, polls []poll, settle time.Duration) *findings {
	t.Helper()
	f := compareTruth(events, history, polls, settle)
	f.wantNone(t)
	return f
}

// compareTruth looks whether the events tell the history of all leads: each change
// that one of the polls saw, each once, in order, the last word being what is so
// now. The events of one lead must come in their order.
func compareTruth(events rows, history truth, polls []poll, settle time.Duration) *findings {
	f := &findings{events: len(events)}
	ids := make(map[string]bool)
	byLead := make(map[string]rows)
	for _, e := range events {
		if id := e["event_id"].(string); ids[id] {
			f.twice = append(f.twice, about(e))
		} else {
			ids[id] = true
		}
		id := e["lead_id"].(string)
		byLead[id] = append(byLead[id], e)
	}
	f.leads = len(byLead)
	groups := make(map[string][]rows)
	for id, list := range byLead {
		key := keyOf(list[0])
		if history[key] == nil {
			f.foreign = append(f.foreign, id)
			continue
		}
		groups[key] = append(groups[key], list)
	}
	for key, lives := range history {
		f.compareGroup(groups[key], lives, polls, settle)
	}
	return f
}

// compareGroup compares the events of leads that cannot be told apart with their
// lives.
func (f *findings) compareGroup(leads []rows, lives []*life, polls []poll, settle time.Duration) {
	if len(leads) > len(lives) {
		f.foreign = append(f.foreign, fmt.Sprintf("%d ids for %d leads: %s", len(leads), len(lives), stories(leads)))
		return
	}
	for _, events := range leads {
		f.compareRows(events, lives)
	}
	if len(lives) > 1 {
		f.compareLastWords(leads, lives)
		return
	}
	var events rows
	if len(leads) == 1 {
		events = leads[0]
		first := events[0]
		if i := slices.IndexFunc(lives[0].states, func(s state) bool { return s.row["content_hash"] == first["content_hash"] }); i >= 0 {
			if want := lives[0].states[i].row["lead_id"]; first["lead_id"] != want {
				f.wrong = append(f.wrong, fmt.Sprintf("lead id %v, want %v", first["lead_id"], want))
			}
		}
	}
	f.follow(events, lives[0], polls, settle)
}

// compareRows compares each event of a lead with the truth, column by column, and
// their types and versions with what the ones before make of them.
func (f *findings) compareRows(events rows, lives []*life) {
	version := int64(0)
	var before, shown oracle.Row // the event before, and how the lead was shown last
	for _, e := range events {
		kind, _ := e["event_type"].(string)
		number := int64(0)
		if kind != "snapshot" {
			version++
			number = version
		}
		last, _ := before["event_type"].(string)
		possible := map[string]bool{
			"snapshot": true, "created": before == nil,
			"updated": before != nil, "vanished": before != nil && last != "vanished",
		}
		if !possible[kind] {
			f.wrong = append(f.wrong, fmt.Sprintf("%s after %q", about(e), last))
		}
		content := stateOf(e, lives)
		if content == nil {
			f.wrong = append(f.wrong, about(e)+": the lead never was so")
			return
		}
		if kind == "vanished" && shown != nil {
			content = shown
		}
		want := oracle.Event(content, shown, kind, e["lead_id"].(string), number)
		if diff := difference(e, want); diff != "" {
			f.wrong = append(f.wrong, about(e)+": "+diff)
		}
		before, shown = e, content
	}
}

// stateOf is the state of which the event tells, as a row; nil if there is none.
func stateOf(e oracle.Row, lives []*life) oracle.Row {
	for _, l := range lives {
		for i := range l.states {
			if !l.states[i].gone && l.states[i].row["content_hash"] == e["content_hash"] {
				return l.states[i].row
			}
		}
	}
	return nil
}

// view is what a consumer knows of a lead after an event.
type view struct {
	known, gone bool
	hash        any
}

func viewOf(e oracle.Row) view {
	if e["event_type"] == "vanished" {
		return view{known: true, gone: true}
	}
	return view{known: true, hash: e["content_hash"]}
}

// shows reports whether who knows this knows the state.
func (v view) shows(s *state) bool {
	if s.gone {
		return !v.known || v.gone
	}
	return v.known && !v.gone && v.hash == s.row["content_hash"]
}

// follow looks for a way through the life that the events can have come about in:
// some states were seen, others were not. Those that a poll must have seen were,
// and the last one was.
func (f *findings) follow(events rows, l *life, polls []poll, settle time.Duration) {
	views := []view{{}}
	for _, e := range events {
		views = append(views, viewOf(e))
	}
	told := map[int]bool{0: true} // how many events may have been told so far
	for i := range l.states {
		s := &l.states[i]
		must := s.until.IsZero() || l.seenBy(s, polls, settle)
		next := make(map[int]bool)
		for n := range told {
			switch {
			case views[n].shows(s):
				next[n] = true
			case n+1 < len(views) && views[n+1].shows(s):
				next[n+1] = true
				fallthrough
			default:
				if !must {
					next[n] = true
				}
			}
		}
		told = next
	}
	if told[len(events)] {
		return
	}
	text := describe(events, l, polls, settle)
	last := views[len(views)-1]
	switch {
	case len(events) == 0:
		f.lost = append(f.lost, text)
	case !last.shows(l.last()):
		f.stale = append(f.stale, text)
	case slices.ContainsFunc(views[1:], func(v view) bool { return !v.known }):
		f.wrong = append(f.wrong, text)
	default:
		for i := range events[1:] {
			if views[i+1] == views[i+2] {
				f.twice = append(f.twice, text)
				return
			}
		}
		f.missed = append(f.missed, text)
	}
}

// compareLastWords has the last events of leads that cannot be told apart show
// what they are now, whichever is which.
func (f *findings) compareLastWords(leads []rows, lives []*life) {
	var got, want []string
	for _, events := range leads {
		if v := viewOf(events[len(events)-1]); !v.gone {
			got = append(got, v.hash.(string))
		}
	}
	for _, l := range lives {
		if !l.last().gone {
			want = append(want, l.last().row["content_hash"].(string))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		text := fmt.Sprintf("%d leads that cannot be told apart: last words %.8s, want %.8s", len(lives), got, want)
		for i, events := range leads {
			text += fmt.Sprintf("\n  lead %d: %s", i+1, describe(events, lives[i], nil, 0))
		}
		f.stale = append(f.stale, text)
	}
}

// describe shows a lead's events beside its life.
func describe(events rows, l *life, polls []poll, settle time.Duration) string {
	text := ""
	for i := range l.states {
		s := &l.states[i]
		text += " " + s.String()
		if l.seenBy(s, polls, settle) {
			text += " (polled)"
		}
		text += ","
	}
	text += " events"
	for _, e := range events {
		text += fmt.Sprintf(" %v %v %.8v at %v,", e["event_type"], e["lead_version"], e["content_hash"], e["extracted_at"])
	}
	return fmt.Sprintf("lead %v:%s", l.states[0].row["lead_id"], text)
}

func about(e oracle.Row) string {
	return fmt.Sprintf("%v %v of %v", e["event_type"], e["lead_version"], e["lead_id"])
}

// stories tells all that is told of some leads, with what leads are told apart by.
func stories(leads []rows) string {
	var b strings.Builder
	for _, events := range leads {
		for _, e := range events {
			fmt.Fprintf(&b, "\n\t%s:", about(e))
			for _, column := range []string{
				"item_id", "submitted_time", "user_id", "email", "external_email", "phone", "first_name",
				"additional_information", "changed_fields", "batch_id", "extracted_at",
			} {
				fmt.Fprintf(&b, " %s %v", column, e[column])
			}
		}
	}
	return b.String()
}

// wantSame asserts that two sinks hold the same events, column by column.
func wantSame(t testing.TB, name string, got rows, other string, want rows) {
	t.Helper()
	f := &findings{events: len(got)}
	byID := make(map[string]oracle.Row)
	for _, e := range want {
		byID[e["event_id"].(string)] = e
	}
	seen := make(map[string]bool)
	for _, e := range got {
		id := e["event_id"].(string)
		exp, ok := byID[id]
		switch {
		case seen[id]:
			f.twice = append(f.twice, about(e))
		case !ok:
			f.foreign = append(f.foreign, about(e))
		default:
			if diff := difference(e, exp); diff != "" {
				f.wrong = append(f.wrong, about(e)+": "+diff)
			}
			if e["extracted_at"] != exp["extracted_at"] {
				f.wrong = append(f.wrong, fmt.Sprintf("%s: extracted at %v, %v", about(e), e["extracted_at"], exp["extracted_at"]))
			}
		}
		seen[id] = true
	}
	for id, e := range byID {
		if !seen[id] {
			f.lost = append(f.lost, about(e))
		}
	}
	t.Logf("%s against %s:", name, other)
	f.wantNone(t)
}
