package sinktest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/schema"
)

// Same fails the test if the rows read are not those wanted, in their order,
// and says which column of which row differs first.
func Same(t *testing.T, got, want []schema.Row) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		if diff := Diff(&got[i], &want[i]); diff != "" {
			t.Fatalf("row %d of %d: %s", i, len(want), diff)
		}
	}
}

// Diff describes the first column in which the rows differ; it is empty if none
// does. Times are compared as instants, and all rows are invented, so that
// values may be shown.
func Diff(got, want *schema.Row) string {
	for _, c := range schema.Columns {
		if !equal(c.Field(got), c.Field(want)) {
			return fmt.Sprintf("column %s is %s, want %s", c.Name, show(c.Field(got)), show(c.Field(want)))
		}
	}
	return ""
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case *string:
		return *a == *b.(*string)
	case *schema.EventType:
		return *a == *b.(*schema.EventType)
	case *int32:
		return *a == *b.(*int32)
	case *time.Time:
		return a.Equal(*b.(*time.Time))
	case *schema.Opt[string]:
		return *a == *b.(*schema.Opt[string])
	case *schema.Opt[int32]:
		return *a == *b.(*schema.Opt[int32])
	case *schema.Opt[bool]:
		return *a == *b.(*schema.Opt[bool])
	case *schema.Opt[schema.Decimal]:
		return *a == *b.(*schema.Opt[schema.Decimal])
	case *schema.Opt[time.Time]:
		return equalTimes(*a, *b.(*schema.Opt[time.Time]))
	case *schema.Opt[[]string]:
		b := b.(*schema.Opt[[]string])
		return a.Valid == b.Valid && slices.Equal(a.Value, b.Value)
	case *schema.Opt[[]schema.Message]:
		b := b.(*schema.Opt[[]schema.Message])
		return a.Valid == b.Valid && slices.EqualFunc(a.Value, b.Value, func(a, b schema.Message) bool {
			return a.MessageID == b.MessageID && equalTimes(a.CreatedAt, b.CreatedAt) && a.Question == b.Question && a.Response == b.Response
		})
	default:
		panic(fmt.Sprintf("sinktest: no comparison of %T", a))
	}
}

func equalTimes(a, b schema.Opt[time.Time]) bool {
	return a.Valid == b.Valid && a.Value.Equal(b.Value)
}

// show is a field as the failure message has it, cut to a length that can be
// read.
func show(field any) string {
	var s string
	switch v := field.(type) {
	case *string:
		s = fmt.Sprintf("%q", *v)
	case *schema.Opt[string]:
		s = fmt.Sprintf("%q (valid: %t)", v.Value, v.Valid)
	case *time.Time:
		s = v.String()
	case *schema.Opt[[]schema.Message]:
		s = fmt.Sprintf("%+v", *v)
	case *schema.Opt[schema.Decimal]:
		s = fmt.Sprintf("%+v", *v)
	case *schema.Opt[time.Time]:
		s = fmt.Sprintf("%v", *v)
	default:
		s = fmt.Sprintf("%#v", v)
	}
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}
