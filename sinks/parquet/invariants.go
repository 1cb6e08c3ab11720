package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

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

// checkText refuses strings that are not valid UTF-8. The library takes them,
// and DuckDB and others then refuse the whole file.
func checkText(c *schema.Column, rows []schema.Row) error {
	for i := range rows {
		ok := true
		switch v := c.Field(&rows[i]).(type) {
		case *string:
			ok = utf8.ValidString(*v)
		case *schema.EventType:
			ok = utf8.ValidString(string(*v))
		case *schema.Opt[string]:
			ok = utf8.ValidString(v.Value)
		case *schema.Opt[[]string]:
			for _, s := range v.Value {
				ok = ok && utf8.ValidString(s)
			}
		case *schema.Opt[[]schema.Message]:
			for j := range v.Value {
				m := &v.Value[j]
				ok = ok && utf8.ValidString(m.Question.Value) && utf8.ValidString(m.Response.Value)
			}
		}
		if !ok {
			return fmt.Errorf("encode row: column %s is not valid UTF-8", c.Name)
		}
	}
	return nil
}
