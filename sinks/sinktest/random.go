package sinktest

import (
	"fmt"
	"math"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/schema"
)

// RandomRow draws rows that a sink must carry without loss but will seldom see:
// each nullable column null or not, empty strings, control characters and
// characters beyond the basic plane, the least and greatest numbers, empty lists
// beside absent ones. The submitted time, if dated, lies on the date.
func RandomRow(date string, dated bool) *rapid.Generator[schema.Row] {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return rapid.Custom(func(t *rapid.T) schema.Row {
		var r schema.Row
		for _, c := range schema.Columns {
			if c.Nullable && rapid.Bool().Draw(t, c.Name+" is null") {
				continue
			}
			draw(t, c, c.Field(&r))
		}
		r.EventType = rapid.SampledFrom(schema.EventTypes).Draw(t, "event type")
		r.Account, r.MarketplaceID = Account, Marketplace
		r.SubmittedTime = schema.Opt[time.Time]{}
		if dated {
			ms := rapid.Int64Range(0, 24*60*60*1000-1).Draw(t, "time of day")
			r.SubmittedTime = schema.Some(day.Add(time.Duration(ms) * time.Millisecond))
		}
		r.ContentHash = schema.ContentHash(&r)
		r.LeadID = schema.LeadID(&r, rapid.IntRange(1, math.MaxInt32).Draw(t, "ordinal"))
		r.EventID = schema.EventID(&r)
		return r
	})
}

var (
	texts = rapid.OneOf(
		rapid.Just(""),
		rapid.String(),
		rapid.SampledFrom([]string{"\x00", "\u0001\t\n\r\"\\/", "\u2028\u2029", "\uFFFD", "\U0010FFFF", "null", "🚗👩‍👩‍👧", "\uFEFFx", " "}),
		rapid.Map(rapid.StringN(100, 300, -1), func(s string) string { return s + s + s }),
	)
	// Years of four digits, which is what JSON's times have.
	times = rapid.Map(rapid.Int64Range(-62135596800_000, 253402300799_999), func(ms int64) time.Time {
		return time.UnixMilli(ms).UTC()
	})
	amounts = rapid.Map(rapid.OneOf(
		rapid.Int64Range(-999_999_999_999_999_999, 999_999_999_999_999_999),
		rapid.SampledFrom([]int64{0, 1, -1, 10_000, -999_999_999_999_999_999, 999_999_999_999_999_999}),
	), func(unscaled int64) schema.Decimal {
		d := schema.Decimal{Unscaled: unscaled}
		d.Text = d.Canonical()
		return d
	})
	messages = rapid.Custom(func(t *rapid.T) schema.Message {
		return schema.Message{
			MessageID: optional(t, rapid.Int64(), "message id"),
			CreatedAt: optional(t, times, "created"),
			Question:  optional(t, texts, "question"),
			Response:  optional(t, texts, "response"),
		}
	})
	objects = rapid.Map(rapid.IntRange(0, 3), func(n int) string {
		if n == 0 {
			return "{}"
		}
		return fmt.Sprintf(`{"a.b":%d,"listing.ü":["\u0000",null,{}]}`, n)
	})
)

func optional[T any](t *rapid.T, g *rapid.Generator[T], name string) schema.Opt[T] {
	if rapid.Bool().Draw(t, name+" is null") {
		return schema.Opt[T]{}
	}
	return schema.Some(g.Draw(t, name))
}

func draw(t *rapid.T, c schema.Column, field any) {
	switch v := field.(type) {
	case *string:
		*v = texts.Draw(t, c.Name)
	case *schema.EventType:
		*v = schema.Snapshot
	case *int32:
		*v = rapid.Int32().Draw(t, c.Name)
	case *time.Time:
		*v = times.Draw(t, c.Name)
	case *schema.Opt[string]:
		g := texts
		if c.Type == schema.TypeJSON {
			g = objects
		}
		*v = schema.Some(g.Draw(t, c.Name))
	case *schema.Opt[int32]:
		*v = schema.Some(rapid.Int32().Draw(t, c.Name))
	case *schema.Opt[bool]:
		*v = schema.Some(rapid.Bool().Draw(t, c.Name))
	case *schema.Opt[time.Time]:
		*v = schema.Some(times.Draw(t, c.Name))
	case *schema.Opt[schema.Decimal]:
		*v = schema.Some(amounts.Draw(t, c.Name))
	case *schema.Opt[[]schema.Message]:
		*v = schema.Some(rapid.SliceOfN(messages, 0, 3).Draw(t, c.Name))
	case *schema.Opt[[]string]:
		*v = schema.Some(rapid.SliceOfN(texts, 0, 3).Draw(t, c.Name))
	default:
		panic("sinktest: column " + c.Name + " has a type without a generator")
	}
}
