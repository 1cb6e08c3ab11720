package main

import (
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// sinkStatus is how far a sink has come.
type sinkStatus struct {
	Name        string `json:"name"`
	Where       string `json:"where"`
	PagesBehind int    `json:"pages_behind"`
	Partitions  int    `json:"partitions_behind"`
	Foreign     bool   `json:"of_another_journal,omitempty"`
	// Pruned says that it is given what stands for the pruned pages first.
	Pruned bool   `json:"behind_the_pruned,omitempty"`
	Error  string `json:"error,omitempty"`
	// Next is the first record that it does not hold.
	Next uint64 `json:"next_record"`
	// Lag is for how long what it lacks has been landed, Behind that this is too
	// long.
	Lag    seconds `json:"lag_seconds"`
	Behind bool    `json:"behind"`

	// beside says that it is a table where there is a stream.
	beside bool
}

// observed takes up what an observer found.
func (s *sinkStatus) observed(lag deliver.Lag, maxLag time.Duration, now time.Time) {
	s.PagesBehind, s.Partitions, s.Foreign, s.Next = lag.Pages, lag.Partitions, lag.Foreign, uint64(lag.Next)
	s.Pruned = lag.Pruned
	if !lag.Oldest.IsZero() {
		s.Lag = seconds(max(0, now.Sub(lag.Oldest)))
	}
	// What a stream landed is in the table after the next batch: that is no fault.
	s.Behind = !s.beside && (lag.Foreign || lag.Pruned || time.Duration(s.Lag) > maxLag)
}

func (s sinkStatus) text() (mark int, text string) {
	switch {
	case s.Error != "":
		return markBad, s.Error
	case s.Foreign:
		return markWarn, s.Where + " was written under another journal; the next run or replay writes it anew"
	case s.Pruned && s.beside:
		return markWarn, fmt.Sprintf("%s is behind, also what is pruned: the next batch or replay writes it from what stands for that", s.Where)
	case s.Pruned:
		return markBad, fmt.Sprintf("%s is behind what is pruned: the next run or replay gives it all leads as they were then, and goes on from there", s.Where)
	case s.PagesBehind > 0 && s.beside:
		return markWarn, fmt.Sprintf("%s is %s behind: what a stream landed is in it after the next batch or replay", s.Where, progress.Plural(s.PagesBehind, "page"))
	case s.PagesBehind > 0:
		mark = markWarn
		if s.Behind {
			mark = markBad
		}
		return mark, fmt.Sprintf("%s is %s behind, the first landed %s ago; it goes on at record %d", s.Where, progress.Plural(s.PagesBehind, "page"), progress.Clock(time.Duration(s.Lag)), s.Next)
	default:
		return markGood, s.Where + " is up to date"
	}
}
