package progress

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// at returns a meter that saw steady work for a minute.
func at(s Snapshot) *meter {
	var m meter
	begin := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	const steps = 60
	for i := range steps + 1 {
		now := s
		now.Leads = s.Leads * int64(i) / steps
		now.Done = s.Done * float64(i) / steps
		m.observe(begin.Add(time.Duration(i)*time.Second), now)
	}
	return &m
}

func TestLine(t *testing.T) {
	half := Snapshot{Done: 50, Total: 100, Leads: 6000, Pages: 41, Retries: 1, Gaps: 2, Phase: "fetching"}
	endless := Snapshot{Leads: 6000, Pages: 1, Phase: "fetching"}
	for _, c := range []struct {
		name  string
		s     Snapshot
		width int
		ascii bool
		want  string
	}{
		{"wide", half, 120, false, "fetching ━━━━━━━━━━━━━━━───────────────  50% · 6,000 leads · 1:00 left · 100/s · 2 gaps · 41 pages · 1 retry"},
		{"ascii", half, 120, true, "fetching [###############---------------]  50% | 6,000 leads | 1:00 left | 100/s | 2 gaps | 41 pages | 1 retry"},
		{"no room for the bar", half, 80, false, "fetching  50% · 6,000 leads · 1:00 left · 100/s · 2 gaps · 41 pages · 1 retry"},
		{"narrow", half, 40, false, "fetching  50% · 6,000 leads · 1:00 left"},
		{"narrower", half, 20, false, "fetching  50%"},
		{"nothing fits", half, 5, false, ""},
		{"end unknown", endless, 80, false, "fetching ⠙ · 6,000 leads · 100/s · 1 page"},
		{"end unknown, ascii", endless, 80, true, "fetching / | 6,000 leads | 100/s | 1 page"},
		{"facts", Snapshot{Leads: 6000, Pages: 1, Phase: "waiting", Facts: []string{"in 0:07", "12 polls"}}, 80, false, "waiting ⠙ · in 0:07 · 12 polls"},
		{"facts, narrow", Snapshot{Phase: "waiting", Facts: []string{"in 0:07", "12 polls"}}, 25, true, "waiting / | in 0:07"},
		{"done", Snapshot{Done: 100, Total: 100, Leads: 60, Pages: 1, Phase: "delivering"}, 80, false, "delivering ━━━━━━━━━━━━━━━━━━━━━━━ 100% · 60 leads · 0:00 left · 1/s · 1 page"},
	} {
		if got := at(c.s).line(c.width, c.ascii, 1); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// Whatever the snapshot, a line fits the terminal.
func TestLineFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Min(0)
		s := Snapshot{
			Done: rapid.Float64Range(-1, 1e18).Draw(t, "done"), Total: rapid.Float64Range(-1, 1e18).Draw(t, "total"),
			Leads: n.Draw(t, "leads") >> 8, Pages: n.Draw(t, "pages"), Retries: n.Draw(t, "retries"), Gaps: n.Draw(t, "gaps"), Phase: "fetching",
		}
		width := rapid.IntRange(1, 300).Draw(t, "width")
		ascii := rapid.Bool().Draw(t, "ascii")
		line := at(s).line(width, ascii, 3)
		if cells := utf8.RuneCountInString(line); cells > max(0, width-1) {
			t.Fatalf("%d cells of %d: %q", cells, width, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return ascii && r > 0x7e || r < 0x20 }) {
			t.Fatalf("characters: %q", line)
		}
	})
}

func TestRatesFollow(t *testing.T) {
	var m meter
	now := time.Unix(0, 0)
	s := Snapshot{Total: 1000}
	for range 100 { // 10 leads and one unit a second
		m.observe(now, s)
		now, s.Leads, s.Done = now.Add(time.Second), s.Leads+10, s.Done+1
	}
	if rate := m.leads.rate(); rate < 9.99 || rate > 10.01 {
		t.Errorf("rate is %v, want 10", rate)
	}
	if left, ok := m.left(); !ok || left != 901*time.Second {
		t.Errorf("left %v, %v; want 901s", left, ok)
	}
	for range 100 { // it stalls
		m.observe(now, s)
		now = now.Add(time.Second)
	}
	if rate := m.leads.rate(); rate > 0.01 {
		t.Errorf("rate is %v after a stall, want 0", rate)
	}
	m.observe(now, s) // no time has passed
	if rate := m.leads.rate(); rate > 0.01 {
		t.Errorf("rate is %v, want 0", rate)
	}
}

func TestScreen(t *testing.T) {
	var b bytes.Buffer
	s := NewScreen(&b)
	write := func(text string) {
		if n, err := io.WriteString(s, text); n != len(text) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	write("plain\n")
	s.Clear()
	s.SetLine("one")
	s.SetLine("one")
	write("log\n")
	s.SetLine("two")
	s.Clear()
	write("end\n")
	const want = "plain\n" + "\rone\x1b[K" + "\r\x1b[Klog\none" + "\rtwo\x1b[K" + "\r\x1b[K" + "end\n"
	if b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
}

// A terminal that has become narrower has broken the line into rows: all of them
// are removed, and nothing above.
func TestScreenOfATerminalThatShrinks(t *testing.T) {
	var b bytes.Buffer
	width := 80
	s := NewScreen(&b)
	s.Width = func() int { return width }
	step := func(what string, do func(), want string) {
		t.Helper()
		b.Reset()
		do()
		if b.String() != want {
			t.Errorf("%s: got %q, want %q", what, b.String(), want)
		}
	}
	long := strings.Repeat("é", 70)
	step("drawn", func() { s.SetLine(long) }, "\r"+long+"\x1b[K")
	width = 30 // three rows now, and the cursor in the last
	step("drawn again", func() { s.SetLine("short") }, "\r\x1b[A\x1b[A\x1b[Jshort")
	step("in its own width", func() { s.SetLine("other") }, "\rother\x1b[K")
	width = 80
	s.SetLine(long)
	width = 40
	step("a line of the log", func() { _, _ = io.WriteString(s, "log\n") }, "\r\x1b[A\x1b[Jlog\n"+long)
	width = 35
	step("removed", s.Clear, "\r\x1b[A\x1b[J")
	step("nothing is left", s.Clear, "")
}

// lockedBuffer is a writer that can be read while it is written to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// work counts how often it was asked, a lead each time.
func work() func() Snapshot {
	var n int64
	return func() Snapshot {
		n++
		return Snapshot{Done: float64(n), Total: 100, Leads: n, Phase: "fetching"}
	}
}

func TestReporterOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b lockedBuffer
		r := Reporter{Poll: work(), Screen: NewScreen(&b), Width: func() int { return 60 }, Live: true, ASCII: true}
		stop := r.Start(t.Context())
		time.Sleep(10*drawEvery + drawEvery/2)
		stop()
		draws := strings.Count(b.String(), "fetching")
		if draws != 11 {
			t.Errorf("%d draws, want 11: %q", draws, b.String())
		}
		if !strings.HasSuffix(b.String(), toStart+eraseLine) {
			t.Errorf("the line is still there: %q", b.String())
		}
	})
}

func TestReporterInALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b lockedBuffer
		r := Reporter{Poll: work(), Logger: slog.New(slog.NewTextHandler(&b, nil))}
		ctx, cancel := context.WithCancel(t.Context())
		stop := r.Start(ctx)
		time.Sleep(firstLog - time.Second)
		synctest.Wait()
		if b.String() != "" {
			t.Errorf("too early: %q", b.String())
		}
		time.Sleep(2*time.Second + 2*logEvery)
		synctest.Wait()
		if n := strings.Count(b.String(), "msg=progress phase=fetching leads="); n != 3 {
			t.Errorf("%d lines, want 3:\n%s", n, b.String())
		}
		if !strings.Contains(b.String(), "percent=2 left=16m20s") {
			t.Errorf("no percentage and rest:\n%s", b.String())
		}
		cancel()
		stop()
	})
}
