package files

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// Dates that the writer goes round: the first is one file, the second several.
var (
	oneFile   = deliver.Partition{Date: "2026-09-01"}
	manyFiles = deliver.Partition{Date: "2026-09-02"}
)

// version is what the writer commits at a position.
func version(p deliver.Partition, next uint64) []schema.Row {
	if p == oneFile {
		return sinktest.Leads(p.Date, int(next)*10, 30)
	}
	return sinktest.Leads(p.Date, int(next)*10, 4+int(next)%9)
}

func formatOf(p deliver.Partition) Format {
	if p == oneFile {
		return manyIDs
	}
	return ids
}

// writerRole commits version after version to both partitions and prints each
// position that was committed, until it is killed.
func writerRole() int {
	ctx := context.Background()
	first, err := strconv.ParseUint(os.Args[2], 10, 64)
	if err != nil {
		return 2
	}
	for next := first; ; next++ {
		for _, p := range []deliver.Partition{oneFile, manyFiles} {
			sp := spec(os.Args[1])
			sp.Format = formatOf(p)
			s, err := Open(ctx, sp)
			if err == nil {
				_, err = commit(ctx, s, p, version(p, next), next)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		fmt.Println(next)
	}
}

// TestKilled kills a process that replaces partitions, again and again, with
// SIGKILL. Whatever it was about, each partition is as it was committed last, or
// as it was about to be, and never a mixture.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	next := uint64(1)
	for range 25 {
		committed := runAndKill(t, "writer", dir, next, 1+rand.IntN(4))
		// Those who read names see a partition of one file whole at any time.
		wantVersion(t, oneFile, globbed(t, dir, oneFile), committed, committed+1)
		wantVersion(t, oneFile, followed(t, dir, oneFile), committed, committed+1)
		wantVersion(t, manyFiles, followed(t, dir, manyFiles), committed, committed+1)

		for _, p := range []deliver.Partition{oneFile, manyFiles} {
			sp := spec(dir)
			sp.Format = formatOf(p)
			at := uint64(position(t, mustOpen(t, sp), p).Next)
			if at != committed && at != committed+1 {
				t.Fatalf("%s is at %d, committed was %d", p, at, committed)
			}
			wantVersion(t, p, globbed(t, dir, p), at, at)
			wantVersion(t, p, followed(t, dir, p), at, at)
		}
		wantNoTemps(t, dir)
		next = committed + 2
	}
}

// runAndKill lets the writer go on from a position, kills it when it has
// committed so many more, and returns the last it said.
func runAndKill(t *testing.T, role, dir string, first uint64, commits int) (last uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], dir, strconv.FormatUint(first, 10))
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if last, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
		// It goes on meanwhile, and is hit wherever it is.
		if n == commits {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || stderr.Len() > 0 {
		t.Fatalf("the writer ended by itself: %v %s", err, stderr.String())
	}
	return last
}

func wantVersion(t *testing.T, p deliver.Partition, got []string, from, to uint64) {
	t.Helper()
	for next := from; next <= to; next++ {
		if slices.Equal(got, leadIDs(version(p, next))) {
			return
		}
	}
	t.Fatalf("%s holds %d leads, which is none of versions %d to %d", p, len(got), from, to)
}
