package report

import (
	"time"

	"github.com/leads-etl/leads-etl/schema"
)

// answers counts how long it took until leads were answered. The API does not date
// an answer, but the message that has it: one that is as old as the lead dates
// nothing.
type answers struct {
	classes [len(answerClasses)]int
	// minutes is a histogram for the median; its last holds all that took longer.
	minutes [14*24*60 + 1]int
	timed   int // in minutes
	untimed int // answered, nobody knows when
	none    int
}

// answerClass is a class of the histogram that is shown.
type answerClass struct {
	title string
	below time.Duration
}

var answerClasses = [...]answerClass{
	{"under 15 min", 15 * time.Minute},
	{"15–60 min", time.Hour},
	{"1–4 h", 4 * time.Hour},
	{"4–24 h", 24 * time.Hour},
	{"1–3 days", 72 * time.Hour},
	{"longer", 1<<63 - 1},
}

// responded is the status of a lead that was answered, by whatever way.
const responded = "RESPONDED"

// add counts a lead, and reports whether it was answered.
func (a *answers) add(r *schema.Row) bool {
	first, answered := schema.Opt[time.Time]{}, r.LeadStatus.Or("") == responded
	for i := range r.Messages.Value {
		m := &r.Messages.Value[i]
		if m.Response.Or("") == "" {
			continue
		}
		answered = true
		if m.CreatedAt.Valid && (!first.Valid || m.CreatedAt.Value.Before(first.Value)) {
			first = m.CreatedAt
		}
	}
	switch {
	case !answered:
		a.none++
	case !first.Valid || !r.SubmittedTime.Valid, first.Value.Sub(r.SubmittedTime.Value) <= time.Second:
		a.untimed++
	default:
		a.count(first.Value.Sub(r.SubmittedTime.Value))
	}
	return answered
}

func (a *answers) count(took time.Duration) {
	a.timed++
	a.minutes[min(int(took/time.Minute), len(a.minutes)-1)]++
	for i := range answerClasses {
		if took < answerClasses[i].below {
			a.classes[i]++
			return
		}
	}
}

// median is how long half of the answers took at most; false if there are none.
func (a *answers) median() (time.Duration, bool) {
	seen := 0
	for minute, n := range &a.minutes {
		if seen += n; 2*seen >= a.timed && seen > 0 {
			return time.Duration(minute) * time.Minute, true
		}
	}
	return 0, false
}

func (a *answers) answered() int { return a.timed + a.untimed }
