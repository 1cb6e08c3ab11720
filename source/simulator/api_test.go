package simulator

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// TestReference holds the server to the reference, rule by rule.
func TestReference(t *testing.T) {
	item := itemID(0)
	for name, test := range map[string]struct {
		path string
		// change makes something else of the request.
		change func(*http.Request)
		status int
		errors []int
		// forbidden is how many rules the request breaks.
		forbidden int
	}{
		"all":                   {path: "", status: 200},
		"both bounds":           {path: "?startTime=" + at(0) + "&endTime=" + at(day), status: 200},
		"start alone":           {path: "?startTime=" + at(0), status: 200},
		"end alone":             {path: "?endTime=" + at(day), status: 200},
		"two seconds":           {path: "?startTime=" + at(0) + "&endTime=" + at(time.Second), status: 200},
		"answered":              {path: "?status=Answered", status: 200},
		"unanswered":            {path: "?status=Unanswered", status: 200},
		"messages":              {path: "?includeMessages=true", status: 200},
		"no messages":           {path: "?includeMessages=false", status: 200},
		"one listing":           {path: "/" + item, status: 200},
		"one listing's window":  {path: "/" + item + "?startTime=" + at(0) + "&endTime=" + at(day), status: 200},
		"no such listing":       {path: "/110500000001", status: 400, errors: []int{errItemID}},
		"listing of letters":    {path: "/abc", status: 400, errors: []int{errItemID}, forbidden: 1},
		"no zone":               {path: "?startTime=2026-09-01T00:00:00", status: 400, errors: []int{errTime}, forbidden: 1},
		"fraction":              {path: "?startTime=2026-09-01T00:00:00.000Z", status: 400, errors: []int{errTime}, forbidden: 1},
		"offset":                {path: "?startTime=2026-09-01T00:00:00%2B00:00", status: 400, errors: []int{errTime}, forbidden: 1},
		"date alone":            {path: "?endTime=2026-09-01", status: 400, errors: []int{errTime}, forbidden: 1},
		"no such day":           {path: "?endTime=2026-02-30T00:00:00Z", status: 400, errors: []int{errTime}, forbidden: 1},
		"one digit":             {path: "?endTime=2026-09-01T0:00:00Z", status: 400, errors: []int{errTime}, forbidden: 1},
		"empty":                 {path: "?startTime=", status: 400, errors: []int{errTime}, forbidden: 1},
		"both wrong":            {path: "?startTime=x&endTime=y", status: 400, errors: []int{errTime, errTime}, forbidden: 2},
		"end in the future":     {path: "?startTime=" + at(0) + "&endTime=" + at(100*day), status: 400, errors: []int{errFuture}, forbidden: 1},
		"start in the future":   {path: "?startTime=" + at(100*day), status: 400, errors: []int{errFuture}, forbidden: 1},
		"end is start":          {path: "?startTime=" + at(day) + "&endTime=" + at(day), status: 400, errors: []int{errRange}, forbidden: 1},
		"end before start":      {path: "?startTime=" + at(day) + "&endTime=" + at(0), status: 400, errors: []int{errRange}, forbidden: 1},
		"status unknown":        {path: "?status=NEW", status: 400, errors: []int{errStatus}, forbidden: 1},
		"status in lower case":  {path: "?status=answered", status: 400, errors: []int{errStatus}, forbidden: 1},
		"messages unknown":      {path: "?includeMessages=1", status: 400, errors: []int{errMessages}, forbidden: 1},
		"several errors":        {path: "?includeMessages=yes&status=x", status: 400, errors: []int{errMessages, errStatus}, forbidden: 2},
		"unknown parameter":     {path: "?limit=10", status: 200, forbidden: 1},
		"parameter twice":       {path: "?status=Answered&status=Answered", status: 200, forbidden: 1},
		"no marketplace":        {change: func(r *http.Request) { r.Header.Del("X-EBAY-C-MARKETPLACE-ID") }, status: 400, errors: []int{2004}, forbidden: 1},
		"unknown marketplace":   {change: func(r *http.Request) { r.Header.Set("X-EBAY-C-MARKETPLACE-ID", "DE") }, status: 400, errors: []int{2004}, forbidden: 1},
		"another marketplace":   {change: func(r *http.Request) { r.Header.Set("X-EBAY-C-MARKETPLACE-ID", "EBAY_US") }, status: 200},
		"no gzip":               {change: func(r *http.Request) { r.Header.Set("Accept-Encoding", "identity") }, status: 200},
		"no authorization":      {change: func(r *http.Request) { r.Header.Del("Authorization") }, status: 401, errors: []int{1001}, forbidden: 1},
		"the answer's type":     {change: scheme("Application Access Token "), status: 401, errors: []int{1001}, forbidden: 1},
		"lower case":            {change: scheme("bearer "), status: 401, errors: []int{1001}, forbidden: 1},
		"basic":                 {change: scheme("Basic "), status: 401, errors: []int{1001}, forbidden: 1},
		"post":                  {change: func(r *http.Request) { r.Method = http.MethodPost }, status: 404, errors: []int{2002}, forbidden: 1},
		"unknown path":          {change: func(r *http.Request) { r.URL.Path = "/sell/leads/v2/classified_lead" }, status: 404, errors: []int{2002}, forbidden: 1},
		"token is another's":    {change: func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, status: 401, errors: []int{1001}},
		"two spaces":            {change: scheme("Bearer  "), status: 401, errors: []int{1001}},
		"window of no lead":     {path: "?startTime=2020-01-01T00:00:00Z&endTime=2020-01-02T00:00:00Z", status: 200},
		"window before our era": {path: "?startTime=0001-01-01T00:00:00Z&endTime=2020-01-02T00:00:00Z", status: 200},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, Config{Leads: 50, Listings: 2})
			r := c.request("/classified_lead" + test.path)
			if test.change != nil {
				test.change(r)
			}
			got := c.do(r)
			if got.err != nil || got.status != test.status {
				t.Fatalf("status %d, error %v, body %s; want %d", got.status, got.err, got.raw, test.status)
			}
			var ids []int
			for _, e := range got.Errors {
				ids = append(ids, e.ErrorID)
				if e.Category != "REQUEST" || e.Message == "" {
					t.Errorf("error without category or message: %+v", e)
				}
			}
			if !slices.Equal(ids, test.errors) {
				t.Errorf("errors %v, want %v", ids, test.errors)
			}
			if f := s.Forbidden(); len(f) != test.forbidden || s.Stats().Forbidden != test.forbidden {
				t.Errorf("forbidden: %q, want %d", f, test.forbidden)
			}
			if got.header.Get("X-EBAY-C-REQUEST-ID") == "" || got.header.Get("Date") != s.Now().Format(http.TimeFormat) {
				t.Errorf("headers: %v", got.header)
			}
			if want := "gzip"; name != "no gzip" && got.header.Get("Content-Encoding") != want {
				t.Errorf("Content-Encoding is %q", got.header.Get("Content-Encoding"))
			}
		})
	}
}

func scheme(s string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Bearer ", s, 1))
	}
}

// TestBounds has both bounds inclusive, and the resolution of a second.
func TestBounds(t *testing.T) {
	s, c := start(t, Config{Leads: 500, Burst: 20, Rates: Rates{OddTimes: 1}})
	seconds := make(map[time.Time]int)
	for l := range s.Truth(s.Range()) {
		seconds[l.Created]++
	}
	for at, n := range seconds {
		if n < 5 {
			continue
		}
		d := at.Sub(epoch)
		others := seconds[at.Add(time.Second)] + seconds[at.Add(-time.Second)]
		for _, from := range []time.Duration{d - time.Second, d} {
			if got := c.window(from, from+time.Second); got.TotalLeads < n || got.TotalLeads > n+others || got.leads() != got.TotalLeads {
				t.Errorf("window from %v: %d leads, %d announced, want %d", from, got.leads(), got.TotalLeads, n)
			}
		}
	}
}

// TestAnswer looks at what an answer holds besides the leads' own fields.
func TestAnswer(t *testing.T) {
	s, c := start(t, Config{Leads: 500, Listings: 20, Clean: true})
	got := c.get("/classified_lead")
	if got.TotalLeads != 500 || got.leads() != 500 || got.TotalItems != len(got.ClassifiedLeads) || got.TotalItems < 10 {
		t.Errorf("%d leads of %d, %d items of %d", got.leads(), got.TotalLeads, len(got.ClassifiedLeads), got.TotalItems)
	}
	if strings.Contains(string(got.raw), "memberMessage") {
		t.Error("messages for all listings that nobody asked for")
	}
	for _, l := range got.ClassifiedLeads {
		one := c.get("/classified_lead/" + l.ItemID)
		if one.leads() != len(l.Responses) || one.TotalItems != 1 {
			t.Errorf("listing %s: %d leads alone, %d among all", l.ItemID, one.leads(), len(l.Responses))
		}
		if !strings.Contains(string(one.raw), "memberMessage") {
			t.Error("no messages for one listing, where they are the default")
		}
		if without := c.get("/classified_lead/" + l.ItemID + "?includeMessages=false"); strings.Contains(string(without.raw), "memberMessage") {
			t.Error("messages that were not wanted")
		}
	}
	answered, open := c.get("/classified_lead?status=Answered"), c.get("/classified_lead?status=Unanswered")
	if answered.leads()+open.leads() != 500 || answered.leads() == 0 || open.leads() == 0 {
		t.Errorf("%d answered, %d unanswered", answered.leads(), open.leads())
	}
	if n := strings.Count(string(answered.raw), `"leadStatus":"RESPONDED"`); n != answered.leads() {
		t.Errorf("%d of %d answered leads are", n, answered.leads())
	}
	if got := c.get("/classified_lead?startTime=" + at(0) + "&endTime=" + at(time.Second)); string(got.raw) != `{"classifiedLeads":[],"totalItems":0,"totalLeads":0}` {
		t.Errorf("empty answer: %s", got.raw)
	}
	other := c.request("/classified_lead")
	other.Header.Set("X-EBAY-C-MARKETPLACE-ID", "EBAY_US")
	if got := c.do(other); got.TotalLeads != 0 {
		t.Errorf("%d leads on a marketplace that has none", got.TotalLeads)
	}
	if e := s.Exchanges(); e[0].Leads != 500 || e[0].Outcome != "ok" || e[0].Status != 200 || e[0].Bytes == 0 {
		t.Errorf("first exchange: %+v", e[0])
	}
}

// TestTime hides leads whose time has not come, and goes by the skewed clock.
func TestTime(t *testing.T) {
	now := epoch.AddDate(0, 1, 0)
	s, c := start(t, Config{Leads: 1000, Now: func() time.Time { return now }})
	before := c.get("/classified_lead").leads()
	if before < 300 || before > 700 {
		t.Errorf("%d of 1000 leads after half of the time", before)
	}
	n := 0
	for range s.Truth(s.Range()) {
		n++
	}
	if n != before {
		t.Errorf("the truth has %d leads, the API %d", n, before)
	}
	s.SetSkew(-24 * time.Hour)
	if got := c.get("/classified_lead?endTime=" + now.Format(timeLayout)); got.status != 400 || got.Errors[0].ErrorID != errFuture {
		t.Errorf("a clock that is behind let a bound of its future pass: %s", got.raw)
	}
	s.SetSkew(40 * 24 * time.Hour)
	if got := c.get("/classified_lead").leads(); got != 1000 {
		t.Errorf("%d of 1000 leads after all of the time", got)
	}
	if got := s.Range(); got != (window.Window{From: epoch, To: epoch.AddDate(0, 0, 60)}) {
		t.Errorf("range %v", got)
	}
}

// TestStreamed has answers too large for memory be the same as others.
func TestStreamed(t *testing.T) {
	const leads = streamed + 500
	s, c := start(t, Config{Leads: leads, Listings: 100, Clean: true})
	plain := c.request("/classified_lead")
	plain.Header.Set("Accept-Encoding", "identity")
	for _, got := range []reply{c.get("/classified_lead"), c.do(plain)} {
		if got.err != nil || got.leads() != leads || got.TotalLeads != leads || got.TotalItems != 100 {
			t.Errorf("%d leads of %d in %d listings, error %v", got.leads(), got.TotalLeads, got.TotalItems, got.err)
		}
	}
	if st := s.Stats(); st.Leads != 2*leads || st.Uncompressed != 1 || st.Calls != 2 {
		t.Errorf("stats: %+v", st)
	}
}
