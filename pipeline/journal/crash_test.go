package journal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// Names of the environment of a child process.
const (
	childDir   = "JOURNAL_TEST_DIR"
	childRound = "JOURNAL_TEST_ROUND"
)

const childWriters = 6

// child opens the journal and appends without end, from several goroutines. It
// prints a line "<number> <n>" for each record that was confirmed, where n says
// what the record is: recordOf(n, …).
func child(dir, round string) int {
	r, err := strconv.Atoi(round)
	if err != nil {
		return 1
	}
	j, err := Open(dir, Options{Identity: seller, SegmentBytes: 64 << 10, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("open")
	g, ctx := errgroup.WithContext(context.Background())
	for writer := range childWriters {
		g.Go(func() error {
			for i := 0; ; i++ {
				n := r<<16 | i*childWriters + writer
				seq, err := j.Append(ctx, childRecord(n))
				if err != nil {
					return err
				}
				// One write, so that lines of several goroutines do not mix.
				if _, err := fmt.Printf("%d %d\n", seq, n); err != nil {
					return err
				}
			}
		})
	}
	fmt.Fprintln(os.Stderr, g.Wait())
	return 1
}

func childRecord(n int) Record { return recordOf(n, n*7919%9000) }

// startChild starts a process that appends, and waits until it has the journal
// open.
func startChild(t *testing.T, dir string, round int) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), childDir+"="+dir, childRound+"="+strconv.Itoa(round))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	if line, err := lines.ReadString('\n'); line != "open\n" {
		cmd.Wait()
		t.Fatalf("the child did not open the journal (%v):\n%s", err, stderr.String())
	}
	return cmd, lines
}

func TestConfirmedRecordsSurviveKill(t *testing.T) {
	dir := t.TempDir()
	confirmed := map[Seq]int{}
	random := rand.New(rand.NewPCG(1, 2))
	const rounds = 12
	for round := range rounds {
		cmd, lines := startChild(t, dir, round)
		killAfter := random.IntN(200)
		for i := 0; ; i++ {
			if i == killAfter {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			line, err := lines.ReadString('\n')
			if errors.Is(err, io.EOF) {
				break // the last line may be half
			}
			if err != nil {
				t.Fatal(err)
			}
			var seq Seq
			var n int
			if _, err := fmt.Sscanf(line, "%d %d\n", &seq, &n); err != nil {
				t.Fatalf("the child said %q: %v", line, err)
			}
			if other, ok := confirmed[seq]; ok {
				t.Fatalf("record %d was confirmed as %d and as %d", seq, other, n)
			}
			confirmed[seq] = n
		}
		cmd.Wait() // killed

		// In every second round the next child finds the journal as this one left
		// it, and recovers it itself.
		var j *Journal
		if round%2 == 0 {
			j = open(t, dir, Options{SegmentBytes: 64 << 10})
		} else {
			var err error
			if j, err = OpenReadOnly(dir, nil); err != nil {
				t.Fatal(err)
			}
		}
		if torn, ok := j.Recovered(); ok {
			t.Logf("round %d: torn: %+v", round, torn)
		}
		got, err := contents(j)
		if err != nil {
			t.Fatal(err)
		}
		for seq, n := range confirmed {
			if int(seq) >= len(got) {
				t.Fatalf("round %d: record %d was confirmed, but the journal ends before %d", round, seq, len(got))
			}
			if err := same(got[seq], childRecord(n)); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		report, err := Verify(t.Context(), dir)
		if err != nil || len(report.Problems) > 0 || report.Records != len(got) {
			t.Fatalf("round %d: Verify: %+v, %v", round, report, err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(confirmed) < 500 {
		t.Errorf("only %d records were confirmed in %d rounds", len(confirmed), rounds)
	}
	t.Logf("%d records confirmed in %d rounds", len(confirmed), rounds)
}

func TestLockOfAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	cmd, lines := startChild(t, dir, 0)
	_, err := Open(dir, Options{Identity: seller})
	locked, ok := errors.AsType[*LockedError](err)
	if !ok {
		t.Fatalf("Open beside another process: %v", err)
	}
	if locked.Dir != dir || locked.PID != cmd.Process.Pid {
		t.Errorf("LockedError says %q, want folder %s and process %d", err, dir, cmd.Process.Pid)
	}
	// Reading and verifying need no lock, and see a good journal while it grows.
	for range 20 {
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		r, err := OpenReadOnly(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := contents(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
		report, err := Verify(t.Context(), dir)
		if err != nil || len(report.Problems) > 0 {
			t.Fatalf("Verify beside a writer: %+v, %v", report, err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, lines)
	cmd.Wait()
	open(t, dir, Options{}) // the lock died with its process
}
