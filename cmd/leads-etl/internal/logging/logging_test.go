package logging_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/logging"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/source"
)

// logged returns a logger, and what it has written so far, without the times.
func logged() (*slog.Logger, *logging.Repeats, func() []string) {
	var out bytes.Buffer
	text := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	repeats := logging.NewRepeats(logging.RequestIDs{Handler: text})
	return slog.New(repeats), repeats, func() []string {
		return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	}
}

// Ten hours in which every poll fails are a few lines, which together stand for
// all of them.
func TestAnOutageIsToldInAFewLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, repeats, lines := logged()
		const polls = 10 * 60 * 2
		for i := range polls {
			logger.With("sink", "kafka").Warn("delivery failed", "error", fmt.Errorf("dial from port %d", i))
			time.Sleep(30 * time.Second)
		}
		repeats.Close()
		told := 0
		for _, line := range lines() {
			told++
			if _, n, ok := strings.Cut(line, "repeated="); ok {
				more := 0
				if _, err := fmt.Sscan(n, &more); err != nil {
					t.Error(err)
				}
				told += more
			}
		}
		if n := len(lines()); n < 5 || n > 20 || told != polls {
			t.Errorf("%d lines for %d of %d records:\n%s", n, told, polls, strings.Join(lines(), "\n"))
		}
		if last := lines()[len(lines())-1]; !strings.Contains(last, fmt.Sprint("port ", polls-1)) {
			t.Errorf("the last line is not the newest: %s", last)
		}
	})
}

func TestWhatDiffersIsToldEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, repeats, lines := logged()
		for range 3 {
			logger.With("sink", "kafka").Warn("delivery failed")
			logger.With("sink", "parquet").Warn("delivery failed")
			logger.Warn("gap", "window", "w1")
			logger.Warn("gap", "window", "w2")
			logger.Error("gap", "window", "w2")
			logger.Info("polled", "pages", 1)
		}
		synctest.Wait()
		if got := lines(); len(got) != 5+3 {
			t.Errorf("%d lines:\n%s", len(got), strings.Join(got, "\n"))
		}
		repeats.Close()
		var told []string
		for _, line := range lines()[8:] {
			told = append(told, strings.TrimPrefix(line, "level="))
		}
		if len(told) != 5 || !strings.HasSuffix(told[0], "repeated=1") {
			t.Errorf("held back:\n%s", strings.Join(told, "\n"))
		}
		logger.Warn("gap", "window", "w1")
		if n := len(lines()); n != 8+5+1 {
			t.Errorf("%d lines after the end", n)
		}
	})
}

// What has not come again for a while is told at once when it does.
func TestWhatIsOverIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, repeats, lines := logged()
		defer repeats.Close()
		for range 5 {
			logger.Warn("away")
			time.Sleep(time.Hour)
			synctest.Wait()
		}
		if got := lines(); len(got) != 5 || strings.Contains(strings.Join(got, ""), "repeated") {
			t.Errorf("got\n%s", strings.Join(got, "\n"))
		}
	})
}

func TestErrorsBringTheirRequestID(t *testing.T) {
	logger, repeats, lines := logged()
	defer repeats.Close()
	api := &source.APIError{Status: 500, RequestID: "ri=1"}
	logger.Warn("split", "reason", &fetch.WindowError{Err: api})
	logger.Warn("short", "error", &source.AnswerError{RequestID: "ri=2", Err: errors.New("short")})
	logger.Warn("token", "error", &source.TokenError{Status: 400, RequestID: "ri=3"})
	logger.Warn("disk", "error", errors.New("no space left"))
	logger.Warn("said", "request_id", "ri=4", "error", api)
	want := []string{"request_id=\"ri=1\"", "request_id=\"ri=2\"", "request_id=\"ri=3\"", "", "request_id=\"ri=4\""}
	for i, line := range lines() {
		if n := strings.Count(line, "request_id="); (n == 1) != (want[i] != "") || !strings.Contains(line, want[i]) {
			t.Errorf("got %s, want %s", line, want[i])
		}
	}
}
