package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

var start = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

// lead is one of a listing, submitted so long after the start.
func lead(item string, after time.Duration, status string, messages ...schema.Message) *schema.Row {
	fee, err := schema.ParseDecimal("12.50")
	if err != nil {
		panic(err)
	}
	return &schema.Row{
		ItemID: schema.Some(item), ItemTitle: schema.Some("Title of " + item + " <b>&</b>\x1b"), LeadStatus: schema.Some(status),
		SubmittedTime: schema.Some(start.Add(after)), FeeAmount: schema.Some(fee), FeeCurrency: schema.Some("EUR"),
		Messages: schema.Some(messages),
	}
}

func answer(after time.Duration) schema.Message {
	return schema.Message{CreatedAt: schema.Some(start.Add(after)), Response: schema.Some("yes")}
}

func TestFacts(t *testing.T) {
	f := &Facts{}
	f.Add(lead("1", 0, "RESPONDED", answer(30*time.Hour), answer(2*time.Hour)))
	f.Add(lead("1", time.Hour, "NEW", answer(2*time.Hour)))
	f.Add(lead("2", 24*time.Hour, "NEW", schema.Message{Question: schema.Some("?")}))
	f.Add(lead("2", 25*time.Hour, "RESPONDED", answer(25*time.Hour))) // the enquiry's own date
	f.Add(&schema.Row{})
	if f.leads != 5 || f.undated != 1 || f.days[dayOf(start)].leads != 2 || f.days[dayOf(start)+1].answered != 1 {
		t.Errorf("facts %+v, days %v", f, f.days)
	}
	a := f.answers
	if median, ok := a.median(); !ok || median != time.Hour || a.timed != 2 || a.untimed != 1 || a.none != 2 {
		t.Errorf("median %v, timed %d, untimed %d, none %d", median, a.timed, a.untimed, a.none)
	}
	if c := f.currencies(); len(c) != 1 || c[0].total() != 50 || c[0].leads != 4 {
		t.Errorf("fees %+v", c)
	}
	if l := f.ranked(); len(l) != 3 || l[0].id != "1" || l[0].answered != 2 || l[2].id != "(none)" {
		t.Errorf("listings %+v", l)
	}
}

// What there may be any number of is bounded, on the page and in memory.
func TestFactsAreBounded(t *testing.T) {
	f := &Facts{Quota: 10}
	for i := range 3000 {
		r := lead(fmt.Sprint(i), time.Duration(i)*6*time.Hour, fmt.Sprint("status ", i))
		r.FeeCurrency = schema.Some(fmt.Sprint("C", i))
		f.Add(r)
		f.Gaps = append(f.Gaps, Gap{Window: window.New(start, start.Add(time.Second)), Reason: "HTTP 500"})
	}
	if len(f.statuses) > mostDistinct+1 || len(f.fees) > mostDistinct+1 {
		t.Errorf("%d statuses and %d currencies", len(f.statuses), len(f.fees))
	}
	if a := f.axis(); a.n > mostColumns || a.each*a.n < 750 {
		t.Errorf("the axis has %d columns of %d days", a.n, a.each)
	}
	var page bytes.Buffer
	if err := f.Write(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"and 2,960 other listings", "and 2,950 other gaps", "Title of 0 &lt;b&gt;&amp;&lt;/b&gt;·"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestScale(t *testing.T) {
	for most, want := range map[float64][2]float64{1: {0.25, 1}, 7: {2, 8}, 80: {20, 80}, 183: {50, 200}, 5000: {2000, 6000}, 0.3: {0.1, 0.3}} {
		if step, top := scale(most); step != want[0] || fmt.Sprintf("%.6g", top) != fmt.Sprintf("%.6g", want[1]) {
			t.Errorf("scale of %v: step %v, top %v, want %v", most, step, top, want)
		}
	}
}
