package flatten

import (
	"strconv"
	"time"

	"github.com/leads-etl/leads-etl/schema"
)

// scope is where an object stands, as the beginning of the paths of its members;
// zero for the lead itself. It is kept in parts, since hardly any path is ever
// written out.
type scope struct {
	path string
	// index is the place in the array that path leads to; used if indexed.
	index   int
	indexed bool
	// below is the path from that element on, with its dot.
	below string
}

// self returns the path of the object.
func (s scope) self() string {
	if !s.indexed {
		return s.path
	}
	return s.path + "[" + strconv.Itoa(s.index) + "]" + s.below
}

// join returns the path of a member of the object.
func (s scope) join(name string) string {
	if s.path == "" {
		return name
	}
	return s.self() + "." + name
}

// field is one bit for each documented member of one API type.
type field uint32

// object reads one object of the answer: its methods put the value of a
// documented member into its column, or into the notes if it does not fit.
type object struct {
	notes *notes
	at    scope
	seen  field
}

// first reports whether the member is to be read into its column: it is the
// first of its name, and not null.
func (o *object) first(f field, name string, v value) bool {
	if o.seen&f != 0 {
		o.notes.add(o.at.join(name), v, true)
		o.notes.unfit++
		return false
	}
	o.seen |= f
	return !v.isNull()
}

// unknown notes a member that the reference does not have.
func (o *object) unknown(name string, v value) { o.notes.add(o.at.join(name), v, false) }

// misfit notes a value that does not fit its column.
func (o *object) misfit(name string, v value) {
	o.notes.add(o.at.join(name), v, false)
	o.notes.unfit++
}

func (o *object) text(f field, name string, v value, column *schema.Opt[string]) {
	if !o.first(f, name, v) {
		return
	}
	if text, ok := v.text(); ok {
		*column = schema.Some(text)
		return
	}
	o.misfit(name, v)
}

func (o *object) flag(f field, name string, v value, column *schema.Opt[bool]) {
	if !o.first(f, name, v) {
		return
	}
	switch v.kind() {
	case 't', 'f':
		*column = schema.Some(v.kind() == 't')
	default:
		o.misfit(name, v)
	}
}

func (o *object) amount(f field, name string, v value, column *schema.Opt[schema.Decimal]) {
	if !o.first(f, name, v) {
		return
	}
	text, ok := v.text()
	if !ok {
		text = v.raw() // a number fits as it is written; all else is no decimal
	}
	if amount, err := schema.ParseDecimal(text); err == nil {
		*column = schema.Some(amount)
		return
	}
	o.misfit(name, v)
}

func (o *object) integer(f field, name string, v value, column *schema.Opt[int64]) {
	if !o.first(f, name, v) {
		return
	}
	if n, ok := integerOf(v); ok {
		*column = schema.Some(n)
		return
	}
	o.misfit(name, v)
}

// time keeps a time that is finer than milliseconds twice: cut in its column,
// and as received in the notes.
func (o *object) time(f field, name string, v value, column *schema.Opt[time.Time]) {
	if !o.first(f, name, v) {
		return
	}
	t, exact, ok := timeOf(v)
	if ok {
		*column = schema.Some(t)
	}
	if !ok || !exact {
		o.misfit(name, v)
	}
}

// composite returns a cursor on the value of a member that must be an object ('{') or an
// array ('['), and whether it is one.
func (o *object) composite(f field, name string, v value, kind byte) (cursor, bool) {
	if !o.first(f, name, v) {
		return cursor{}, false
	}
	if v.kind() != kind {
		o.misfit(name, v)
		return cursor{}, false
	}
	return v.into(), true
}

// timeOf returns the time of a value that is a string which parseTime takes.
func timeOf(v value) (t time.Time, exact, ok bool) {
	text, ok := v.text()
	if !ok {
		return time.Time{}, false, false
	}
	return parseTime(text)
}

// integerOf returns the value of a number that parseInteger takes.
func integerOf(v value) (int64, bool) {
	if k := v.kind(); k != '-' && !isDigit(k) {
		return 0, false
	}
	return parseInteger(v.raw())
}
