package schema

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// canonicalText is what the row's content hash is taken of.
func canonicalText(r *Row) string {
	s := new(scratch)
	s.canonicalRow(r)
	return string(s.out)
}

// What the form says is no change leaves the text, and so the hash, as it was.
func TestNoChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rows().Draw(t, "row")
		object := jsonObjects(3).Draw(t, "extra")
		before.Extra = Some(jsonText(t, object))

		after := *before
		for _, c := range Columns {
			if !c.FromAPI() {
				fill(t, c, &after)
			}
		}
		after.Extra = Some(jsonText(t, object))
		if v := &after.SubmittedTime; v.Valid {
			v.Value = sameSecond(t, v.Value)
		}
		for _, amount := range []*Opt[Decimal]{&after.FeeAmount, &after.FeeConvertedFromAmount} {
			if amount.Valid {
				amount.Value = sameAmount(t, amount.Value)
			}
		}
		if v := &after.Messages; v.Valid && len(v.Value) > 0 {
			v.Value = rapid.Permutation(v.Value).Draw(t, "order of messages")
			for i := range v.Value {
				if at := &v.Value[i].CreatedAt; at.Valid {
					at.Value = sameSecond(t, at.Value)
				}
			}
		}
		if a, b := canonicalText(before), canonicalText(&after); a != b {
			t.Fatalf("not the same:\n%s\n%s", a, b)
		}
		if ContentHash(before) != ContentHash(&after) {
			t.Fatal("the hashes differ")
		}
	})
}

func jsonText(t *rapid.T, v jsonValue) string {
	var b strings.Builder
	writeJSON(t, &b, v)
	return b.String()
}

func sameSecond(t *rapid.T, at time.Time) time.Time {
	return at.Truncate(time.Second).Add(time.Duration(rapid.IntRange(0, 999).Draw(t, "ms")) * time.Millisecond)
}

func sameAmount(t *rapid.T, d Decimal) Decimal {
	sign, digits := "", d.Canonical()
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "-", rest
	}
	if !strings.Contains(digits, ".") {
		digits += "."
	}
	digits += strings.Repeat("0", rapid.IntRange(0, 3).Draw(t, "zeros behind"))
	text := sign + strings.Repeat("0", rapid.IntRange(0, 3).Draw(t, "zeros before")) + strings.TrimSuffix(digits, ".")
	same, err := ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return same
}

// Whatever happens to a column of the API, by itself, is a change.
func TestEachColumnChanges(t *testing.T) {
	for _, c := range Columns {
		if !c.FromAPI() {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				before := rows().Draw(t, "row")
				after := *before
				change(t, c, &after)
				if text := canonicalText(before); text == canonicalText(&after) {
					t.Fatalf("no change: %s", text)
				}
				if ContentHash(before) == ContentHash(&after) {
					t.Fatal("the hashes are the same")
				}
			})
		})
	}
}

// change gives the column another meaning.
func change(t *rapid.T, c Column, r *Row) {
	switch v := c.Field(r).(type) {
	case *int32:
		*v += rapid.Int32Range(1, 1000).Draw(t, "step")
	case *Opt[string]:
		if c.Type == TypeJSON {
			changeJSON(t, v)
			return
		}
		*v = changed(t, *v, func(s string) string {
			at := rapid.IntRange(0, len(s)).Draw(t, "at")
			return strings.ToValidUTF8(s[:at]+rapid.SampledFrom([]string{" ", "\x00", "x", "\\", "\n"}).Draw(t, "insertion")+s[at:], "\ufffd")
		})
	case *Opt[bool]:
		*v = changed(t, *v, func(b bool) bool { return !b })
	case *Opt[time.Time]:
		*v = changed(t, *v, func(at time.Time) time.Time { return at.Add(time.Second) })
	case *Opt[Decimal]:
		*v = changed(t, *v, func(d Decimal) Decimal { return Decimal{Unscaled: d.Unscaled + 1} })
	case *Opt[[]Message]:
		*v = changed(t, *v, func(list []Message) []Message { return changeMessages(t, list) })
	default:
		t.Fatalf("column %s: no change for a %T", c.Name, v)
	}
}

// changed turns null into something, even if that is empty, something into
// null, or into something else.
func changed[T any](t *rapid.T, o Opt[T], other func(T) T) Opt[T] {
	switch {
	case !o.Valid:
		return Some(o.Value)
	case rapid.Bool().Draw(t, "to null"):
		return Opt[T]{}
	default:
		return Some(other(o.Value))
	}
}

func changeMessages(t *rapid.T, list []Message) []Message {
	list = slices.Clone(list)
	if len(list) == 0 || rapid.Bool().Draw(t, "one more") {
		// Also if it is like one that is there.
		return append(list, rapid.OneOf(messagesElement(list), rapid.Just(Message{})).Draw(t, "message"))
	}
	i := rapid.IntRange(0, len(list)-1).Draw(t, "message")
	m := &list[i]
	switch rapid.IntRange(0, 4).Draw(t, "member") {
	case 0:
		return slices.Delete(list, i, i+1)
	case 1:
		m.MessageID = changed(t, m.MessageID, func(id int64) int64 { return id + 1 })
	case 2:
		m.CreatedAt = changed(t, m.CreatedAt, func(at time.Time) time.Time { return at.Add(-time.Second) })
	case 3:
		m.Question = changed(t, m.Question, func(s string) string { return s + "?" })
	default:
		m.Response = changed(t, m.Response, func(s string) string { return s + "!" })
	}
	return list
}

func messagesElement(list []Message) *rapid.Generator[Message] {
	if len(list) == 0 {
		return rapid.Just(Message{})
	}
	return rapid.SampledFrom(list)
}

// changeJSON replaces extra by an object that differs in one place.
func changeJSON(t *rapid.T, v *Opt[string]) {
	if !v.Valid {
		*v = Some("{}")
		return
	}
	if rapid.Bool().Draw(t, "to null") {
		*v = Opt[string]{}
		return
	}
	// A name that the generator of texts never draws.
	rest := strings.TrimLeft(v.Value, " \t\r\n")[1:]
	comma := ","
	if strings.HasPrefix(strings.TrimLeft(rest, " \t\r\n"), "}") {
		comma = ""
	}
	value := jsonText(t, jsonValues(2).Draw(t, "value"))
	*v = Some(`{"a name that is not there yet":` + value + comma + rest)
}

// In extra, any two values of different meaning have different text.
func TestExtraHoldsEveryDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := jsonValues(2).Draw(t, "a")
		b := rapid.OneOf(jsonValues(2), rapid.Just(mutateJSON(t, a))).Draw(t, "b")
		same := canonicalOf(jsonText(t, a)) == canonicalOf(jsonText(t, b))
		if want := meaning(a) == meaning(b); same != want {
			t.Fatalf("%v and %v: same text %v, same meaning %v", a, b, same, want)
		}
	})
}

// canonicalOf is the canonical form of a JSON text in extra.
func canonicalOf(text string) string {
	s := new(scratch)
	s.canonicalJSON(text)
	return string(s.out)
}

// The canonical form is JSON of the same names, and its own canonical form.
func TestCanonicalIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rows().Draw(t, "row")
		text := canonicalText(r)
		if !jsontext.Value(text).IsValid() {
			t.Fatalf("not JSON: %s", text)
		}
		names := objectNames(t, text)
		if !slices.IsSorted(names) {
			t.Fatalf("names are not sorted: %v", names)
		}
		for _, c := range Columns {
			if null := !slices.Contains(names, c.Name); c.FromAPI() != !null && !isNull(c, r) {
				t.Fatalf("column %s: in the form %v", c.Name, !null)
			}
		}
		if again := canonicalOf(text); again != text {
			t.Fatalf("not its own canonical form:\n%s\n%s", text, again)
		}
	})
}

func isNull(c Column, r *Row) bool {
	switch v := c.Field(r).(type) {
	case *Opt[string]:
		return !v.Valid
	case *Opt[int32]:
		return !v.Valid
	case *Opt[bool]:
		return !v.Valid
	case *Opt[time.Time]:
		return !v.Valid
	case *Opt[Decimal]:
		return !v.Valid
	case *Opt[[]Message]:
		return !v.Valid
	case *Opt[[]string]:
		return !v.Valid
	default:
		return false
	}
}

// objectNames are the names of the outermost object's members, in order.
func objectNames(t *rapid.T, text string) (names []string) {
	d := jsontext.NewDecoder(strings.NewReader(text))
	if _, err := d.ReadToken(); err != nil {
		t.Fatal(err)
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name.String())
		if err := d.SkipValue(); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// A row against the invariants still has a hash, and not that of another row.
func TestContentHashIsTotal(t *testing.T) {
	seen := map[string]string{}
	for _, extra := range []string{"", " ", "{", "{}", "{}{}", `"{}"`, "[", "nul", "\x00", "{\"a\":\xff}", "{\"a\":\"\xed\xa0\x80\"}", strings.Repeat("[", 10_000_000)} {
		hash := ContentHash(&Row{Extra: Some(extra)})
		if other, ok := seen[hash]; ok {
			t.Errorf("%.20q has the hash of %.20q", extra, other)
		}
		seen[hash] = extra
	}
}

// The buffers of one row do not show in the next one's hash.
func TestContentHashKeepsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rows().Draw(t, "a"), rows().Draw(t, "b")
		hash, text := ContentHash(b), canonicalText(b)
		s := new(scratch)
		s.canonicalRow(a)
		s.canonicalRow(b)
		if string(s.out) != text {
			t.Fatal("the second row's text depends on the first")
		}
		ContentHash(a)
		if ContentHash(b) != hash {
			t.Fatal("the second row's hash depends on the first")
		}
	})
}
