package main

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/sinks/files"
)

// What a lead takes on disk, in bytes: compressed, as in the journal and in most
// files, and as plain JSON (README, Figures).
const (
	leadCompressed = 250
	leadPlain      = 1200
)

// leastFree is the least that a day is taken to need, however few leads there are.
const leastFree = 64 << 20

// checkDisk compares the free space of all folders with what a day will need.
func (c *checkCommand) checkDisk(seen *survey, found func(finding)) {
	leads := c.leadsADay(seen, time.Now())
	check := func(what, dir string, bytesALead, code int) {
		free, err := files.Free(dir)
		if err != nil {
			found(conclude("disk", &toldError{err, code}, ""))
			return
		}
		found(diskFinding(what+" "+dir, free, max(leastFree, uint64(leads)*uint64(bytesALead)), code))
	}
	check("state", c.State.Dir, leadCompressed, exitUnexpected)
	if c.Parquet.On() {
		check("parquet", c.Parquet.Dir, bytesALead(c.Parquet.Compression), exitSink)
	}
	if c.NDJSON.On() {
		check("ndjson", c.NDJSON.Dir, bytesALead(c.NDJSON.Compression), exitSink)
	}
}

func bytesALead(compression string) int {
	if compression == "none" {
		return leadPlain
	}
	return leadCompressed
}

// leadsADay is how many leads a day lands. A batch that runs daily reads all of
// its range again; a stream what is new, and what it read again yesterday.
func (c *checkCommand) leadsADay(seen *survey, now time.Time) int {
	if seen.seconds <= 0 {
		return 0
	}
	perDay := float64(seen.leads) / seen.seconds * config.Day.Seconds()
	if c.Mode == modeStream {
		return int(max(perDay, float64(seen.landedSince(now.Add(-config.Day)))))
	}
	length := c.Range.Last
	if length == 0 && !c.Range.From.IsZero() {
		to := c.Range.To.Time
		if to.IsZero() {
			to = now
		}
		length = to.Sub(c.Range.From.Time)
	}
	return int(perDay * max(1, length.Hours()/24))
}

func diskFinding(where string, free, need uint64, code int) finding {
	f := finding{What: "disk", OK: free >= need, Detail: fmt.Sprintf("%s: %s free, a day takes some %s at most", where, humanize.IBytes(free), humanize.IBytes(need))}
	if !f.OK {
		f.Hints = []string{"free space there, or choose a folder on another disk"}
		f.err = &toldError{fmt.Errorf("disk: %s", f.Detail), code}
	}
	return f
}
