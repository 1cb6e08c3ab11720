package parquet

import (
	"bytes"
	"errors"
	"time"

	"github.com/leads-etl/leads-etl/schema"
)

// order is the order of rows that the file's metadata declares: by submitted
// time, nulls last, then by lead id. Engines rely on it.
type order struct {
	any  bool
	time schema.Opt[time.Time]
	lead []byte
}

var errOrder = errors.New("rows are not sorted by submitted time and lead id")

func (o *order) check(rows []schema.Row) error {
	for i := range rows {
		if o.any && o.compare(&rows[i]) > 0 {
			return errOrder
		}
		o.any = true
		o.time = rows[i].SubmittedTime
		o.lead = append(o.lead[:0], rows[i].LeadID...)
	}
	return nil
}

// compare is positive if the row must come before the last one.
func (o *order) compare(r *schema.Row) int {
	switch {
	case o.time.Valid && !r.SubmittedTime.Valid:
		return -1
	case !o.time.Valid && r.SubmittedTime.Valid:
		return 1
	}
	if c := o.time.Value.Compare(r.SubmittedTime.Value); c != 0 {
		return c
	}
	return bytes.Compare(o.lead, []byte(r.LeadID))
}
