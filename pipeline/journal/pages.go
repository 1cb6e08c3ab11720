package journal

import (
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// PageRef is what the journal keeps in memory of each page: enough to know
// what was landed, when, and how much it is.
type PageRef struct {
	Seq      Seq
	Query    Query
	Window   window.Window
	Batch    string
	Received time.Time
	// Leads and Undated are the page's counts, Short its mark.
	Leads   int
	Undated int
	Short   bool
	// Bytes is the size of the body as landed (gzip).
	Bytes int64
}

// Pages returns all pages landed so far and not pruned, in the order of their
// numbers. Callers may keep the slice, and must not change its elements.
func (j *Journal) Pages() []PageRef {
	j.index.mu.RLock()
	defer j.index.mu.RUnlock()
	n := len(j.index.pages)
	return j.index.pages[:n:n]
}

// Bytes returns how much of the disk the journal's records take. It reads
// nothing.
func (j *Journal) Bytes() int64 { return j.index.bytes() }
