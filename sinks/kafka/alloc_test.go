// The race detector makes pools forget on purpose.
//go:build !race

package kafka

import (
	"testing"

	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// TestAllocations guards against allocations of each record. The bytes of a record
// are those of the row's JSON, which schema's tests guard, and its headers.
func TestAllocations(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 100)
	m := newRecordMaker(testBinding, false)
	partitions := []int{0, 1, 2}
	got := testing.AllocsPerRun(20, func() {
		for i := range rows {
			record, err := m.of(&rows[i])
			if err != nil {
				t.Fatal(err)
			}
			partitionOf(record.Key, partitions)
		}
	})
	if got > 0 {
		t.Errorf("%v allocations for %d records", got, len(rows))
	}
}
