package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// served reads all leads of a window from the API in the given cuts, and returns
// them as served, sorted. It drops the leads of the second that both sides of a
// cut have, as a client must; those without a time are told apart by the truth.
func served(t interface{ Fatalf(string, ...any) }, c *client, cuts []time.Duration, created map[string]time.Time) []string {
	var all []string
	for i := range len(cuts) - 1 {
		got := c.window(cuts[i], cuts[i+1])
		if got.err != nil || got.status != 200 || got.leads() != got.TotalLeads {
			t.Fatalf("window %v to %v: status %d, %d of %d leads, error %v", cuts[i], cuts[i+1], got.status, got.leads(), got.TotalLeads, got.err)
		}
		for _, l := range got.ClassifiedLeads {
			for _, r := range l.Responses {
				if created[string(r)].Before(epoch.Add(cuts[i+1])) {
					all = append(all, string(r))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestTruth has any windows that cover the range together serve the truth, lead
// by lead and byte by byte, before and after any changes.
func TestTruth(t *testing.T) {
	s, c := start(t, Config{Seed: 3, Leads: 400, Listings: 20, Burst: 50, Rates: Rates{
		Guests: 0.2, Twins: 0.02, SecondLetters: 0.02, SharedSeconds: 0.05, OddTexts: 0.1, OddTimes: 0.05, Nulls: 0.05,
		UnknownFields: 0.1, Misfits: 0.1, BadTexts: 0.02, Undated: 0.02, Strangers: 0.02,
	}})
	span := int(s.Range().Length() / time.Second)
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(0, 5).Draw(t, "changes") {
			s.ChurnStep()
		}
		first := rapid.IntRange(0, 390).Draw(t, "lead")
		if err := s.Change(first, first+1, first+2); err != nil {
			t.Fatal(err)
		}
		cuts := []time.Duration{0, s.Range().Length()}
		for _, cut := range rapid.SliceOfN(rapid.IntRange(1, span-1), 0, 8).Draw(t, "cuts") {
			cuts = append(cuts, time.Duration(cut)*time.Second)
		}
		slices.Sort(cuts)
		cuts = slices.Compact(cuts)
		created := make(map[string]time.Time)
		var want []string
		for l := range s.Truth(s.Range()) {
			created[string(l.Raw)] = l.Created
			want = append(want, string(l.Raw))
		}
		slices.Sort(want)
		if got := served(t, c, cuts, created); !slices.Equal(got, want) {
			t.Fatalf("%d leads served, %d in truth; first different: %s", len(got), len(want), firstDifference(got, want))
		}
	})
	if f := s.Forbidden(); len(f) > 0 {
		t.Errorf("forbidden: %q", f)
	}
}

func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%q\nand %q", a[i], b[i])
		}
	}
	return "one is longer"
}

// TestTruthOfEarlierVersions has the truth of a version stay what it was.
func TestTruthOfEarlierVersions(t *testing.T) {
	s, _ := start(t, Config{Leads: 100, Listings: 10})
	w := window.New(epoch, s.Now().Add(time.Hour)) // new leads come at present
	sum := func(version uint64) string {
		h := sha256.New()
		for l := range s.TruthAt(version, w) {
			fmt.Fprintf(h, "%d %d %v %s\n", l.Index, l.Version, l.Active, l.Raw)
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	sums := []string{sum(0)}
	for range 200 {
		before := s.Version()
		s.ChurnStep()
		for v := before + 1; v <= s.Version(); v++ {
			sums = append(sums, sum(v))
		}
	}
	if len(sums) < 200 {
		t.Fatalf("200 steps made %d versions", len(sums)-1)
	}
	for v, want := range sums {
		if got := sum(uint64(v)); got != want {
			t.Errorf("the truth of version %d has changed since", v)
		}
	}
	if len(slices.Compact(slices.Clone(sums))) < 100 {
		t.Error("most versions are the same")
	}
}

// TestDeterminism has the same seed give the same bytes, and another others.
func TestDeterminism(t *testing.T) {
	sum := func(seed uint64) [32]byte {
		s, c := start(t, Config{Seed: seed, Leads: 2000})
		for range 20 {
			s.ChurnStep()
		}
		return sha256.Sum256(c.get("/classified_lead?includeMessages=true").raw)
	}
	first := sum(1)
	if sum(1) != first {
		t.Error("two worlds of one seed differ")
	}
	if sum(2) == first {
		t.Error("two seeds give one world")
	}
}

// TestChanges looks at what each change does.
func TestChanges(t *testing.T) {
	s, c := start(t, Config{Leads: 400, Listings: 8, Clean: true})
	lead := func(i int) Lead {
		for l := range s.AllTruth(s.Range()) {
			if l.Index == i {
				return l
			}
		}
		t.Fatalf("no lead %d", i)
		return Lead{}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	open := 0
	for lead(open).LeadStatus.Value != statusNew {
		open++
	}
	before := lead(open)
	check(s.Change(open))
	after := lead(open)
	last := after.Messages.Value[len(after.Messages.Value)-1]
	if after.LeadStatus.Value != statusResponded || !last.Response.Set || after.Version != 1 || s.Version() != 1 {
		t.Errorf("after an answer: %+v", after)
	}
	if after.UserID != before.UserID || after.AdditionalInformation != before.AdditionalInformation || len(after.Messages.Value) != len(before.Messages.Value) {
		t.Error("an answer changed something else")
	}
	check(s.Change(open))
	if n := len(lead(open).Messages.Value); n != len(after.Messages.Value)+1 || lead(open).LeadStatus.Value != statusResponded {
		t.Errorf("after a further message: %d messages", n)
	}

	logged := 0
	for !lead(logged).UserID.Set {
		logged++
	}
	before = lead(logged)
	check(s.RenameBuyer(logged))
	if after = lead(logged); after.UserID == before.UserID || after.Email != before.Email {
		t.Errorf("renamed from %v to %v", before.UserID, after.UserID)
	}

	id := before.ItemID.Value
	n := c.get("/classified_lead/" + id).leads()
	check(s.EndListing(id))
	if got := c.get("/classified_lead/" + id); got.status != 200 || got.leads() != 0 {
		t.Errorf("an ended listing: status %d, %d leads", got.status, got.leads())
	}
	if got := c.get("/classified_lead").leads(); got != 400-n {
		t.Errorf("%d leads are left of 400 without %d", got, n)
	}
	all, active := 0, 0
	for l := range s.AllTruth(s.Range()) {
		all++
		if l.Active {
			active++
		} else if l.ItemID.Value != id {
			t.Errorf("lead of %s is not active", l.ItemID.Value)
		}
	}
	if all != 400 || active != 400-n {
		t.Errorf("%d leads in all, %d active", all, active)
	}
	if s.EndListing(id) == nil {
		t.Error("a listing ended twice")
	}
	relisted, err := s.Relist(id)
	check(err)
	if got := c.get("/classified_lead/" + relisted); got.status != 200 || got.leads() != 0 || slices.Contains(s.ItemIDs(), id) || !slices.Contains(s.ItemIDs(), relisted) {
		t.Errorf("the relisted %s has %d leads", relisted, got.leads())
	}

	from := epoch.Add(-10 * day)
	first, err := s.AddLeads(30, from, from.Add(day))
	check(err)
	late := 0
	for l := range s.Truth(window.New(from, from.Add(day))) {
		if l.Index < first || l.ItemID.Value == id || l.Version != s.Version() {
			t.Errorf("late lead: %+v", l)
		}
		late++
	}
	if got := c.window(-10*day, -9*day).leads(); late != 30 || got != 30 {
		t.Errorf("%d late leads in truth, %d served", late, got)
	}

	for name, err := range map[string]error{
		"respond": s.Respond(1000), "message": s.AddMessage(-1), "rename": s.RenameBuyer(430), "change": s.Change(430),
		"end": s.EndListing("1"), "end what is no number": s.EndListing("x"),
	} {
		if err == nil {
			t.Errorf("%s: no error for what does not exist", name)
		}
	}
	if _, err := s.Relist(relisted); err == nil {
		t.Error("a listing was relisted that has not ended")
	}
	version := s.Version()
	for _, id := range s.ItemIDs() {
		check(s.EndListing(id))
	}
	if _, err := s.AddLeads(1, from, from.Add(day)); err == nil {
		t.Error("a lead about no listing")
	}
	s.ChurnStep()
	if s.Version() <= version {
		t.Error("ending listings made no versions")
	}
}

// TestVariety has everything occur that life has.
func TestVariety(t *testing.T) {
	s, _ := start(t, Config{Leads: 20_000, Burst: 300})
	seen := make(map[string]int)
	seconds := make(map[time.Time]int)
	type buyer struct {
		second  time.Time
		listing string
		buyer   int
	}
	letters := make(map[buyer][]string)
	for l := range s.Truth(s.Range()) {
		mark := func(what string, is bool) {
			if is {
				seen[what]++
			}
		}
		text := l.AdditionalInformation
		mark("dead", l.Dead)
		if l.Dead {
			continue
		}
		mark("undated", !l.SubmittedTime.Set)
		mark("fraction or offset", bytes.Contains(l.Raw, []byte("+02:00")) || bytes.Contains(l.Raw, []byte(".000")))
		mark("guest", !l.UserID.Set && l.ExternalEmail.Set)
		mark("stranger", !l.UserID.Set && !l.ExternalEmail.Set && !l.Email.Set && !l.Phone.Set)
		mark("no contact", !bytes.Contains(l.Raw, []byte("contactInformation")))
		mark("long", len(text.Value) > longText-4)
		mark("no text", !text.Set)
		mark("control", bytes.ContainsAny([]byte(text.Value), "\x00\x1b\b"))
		mark("quotes", bytes.ContainsAny([]byte(text.Value), `"\`))
		mark("newline", bytes.Contains([]byte(text.Value), []byte("\n")))
		mark("rtl", bytes.Contains([]byte(text.Value), []byte("مرحبا")))
		mark("chinese", bytes.Contains([]byte(text.Value), []byte("您好")))
		mark("polish", bytes.Contains([]byte(text.Value), []byte("ż")))
		mark("escaped", bytes.Contains(l.Raw, []byte(`\u00`)))
		mark("pair escaped", bytes.Contains(l.Raw, []byte(`\ud83`)))
		mark("null", bytes.Contains(l.Raw, []byte(`:null`)))
		mark("responded", l.LeadStatus.Value == statusResponded)
		mark("new", l.LeadStatus.Value == statusNew)
		mark("odd status", slices.Contains(oddStatuses, l.LeadStatus.Value))
		mark("financing", l.FinancingAnswer.Set && l.FinancingAnswer.Value)
		mark("no financing", l.FinancingAnswer.Set && !l.FinancingAnswer.Value)
		mark("financing absent", !l.FinancingAnswer.Set)
		mark("trade in", l.TradeInMake.Set && l.TradeInYear.Set)
		mark("fee", l.FeeAmount.Set)
		mark("no fee", !bytes.Contains(l.Raw, []byte("leadFee")))
		mark("conversion", l.FeeConvertedFromAmount.Set)
		mark("several messages", len(l.Messages.Value) > 2)
		mark("no messages", !l.Messages.Set)
		mark("misfit", len(l.Misfits) > 0)
		mark("unknown", len(l.Unknown) > 0)
		for path := range l.Misfits {
			mark("misfit "+path[:min(len(path), 12)], true)
		}
		seconds[l.Created]++
		key := buyer{l.Created, l.ItemID.Value, l.Buyer}
		letters[key] = append(letters[key], text.Value)
	}
	for _, texts := range letters {
		slices.Sort(texts)
		switch distinct := len(slices.Compact(slices.Clone(texts))); {
		case distinct < len(texts):
			seen["twins"]++
		case distinct > 1:
			seen["second letters"]++
		}
	}
	for _, n := range seconds {
		if n == 2 {
			seen["shared second"]++
		}
	}
	if most := slices.Max(slices.Collect(maps.Values(seconds))); most < 299 {
		t.Errorf("the burst has %d leads", most)
	}
	for _, want := range []string{
		"dead", "undated", "fraction or offset", "guest", "stranger", "no contact", "long", "no text", "control", "quotes", "newline", "rtl", "chinese",
		"polish", "escaped", "pair escaped", "null", "responded", "new", "odd status", "financing", "no financing", "financing absent", "trade in",
		"fee", "no fee", "conversion", "several messages", "no messages", "misfit", "unknown", "twins", "second letters", "shared second",
		"misfit leadFee.amou", "misfit additionalIn", "misfit memberMessag",
	} {
		if seen[want] == 0 {
			t.Errorf("no %s among 20,000 leads", want)
		}
	}
}

// TestClean has nothing odd in a world that is to be clean.
func TestClean(t *testing.T) {
	s, _ := start(t, Config{Leads: 20_000, Clean: true})
	for l := range s.Truth(s.Range()) {
		if len(l.Misfits) > 0 || len(l.Unknown) > 0 || l.Dead || !l.SubmittedTime.Set || !json.Valid(l.Raw) || bytes.Contains(l.Raw, []byte("null,")) {
			t.Fatalf("odd: %s", l.Raw)
		}
	}
}

// TestMeanSize has leads be about as large as the config says.
func TestMeanSize(t *testing.T) {
	for _, want := range []int{700, 1150, 5000} {
		s, _ := start(t, Config{Leads: 5000, AvgBytes: want, Clean: true})
		size := 0
		for l := range s.Truth(s.Range()) {
			size += len(l.Raw)
		}
		if got := size / 5000; got < want*95/100 || got > want*105/100 {
			t.Errorf("mean size is %d, want %d", got, want)
		}
	}
}

// TestMemory has a world of ten million leads fit in 8 bytes a lead.
func TestMemory(t *testing.T) {
	const leads = 10_000_000
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := used()
	s, c := start(t, Config{Leads: leads, Listings: 1000})
	if got := used() - before; got > 8*leads {
		t.Errorf("%d bytes a lead", got/leads)
	}
	second := s.Range().From.Add(30 * day)
	n := 0
	for range s.Truth(window.New(second, second.Add(time.Minute))) {
		n++
	}
	// The window's end is inclusive: one second more.
	if got := c.window(30*day, 30*day+time.Minute-time.Second).leads(); got != n || n < 50 {
		t.Errorf("%d leads in a minute, truth has %d", got, n)
	}
}
