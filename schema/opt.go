package schema

// Opt is a value that may be null. It is a value type, not a pointer, so that
// a row of some thirty nullable columns costs no allocation per column.
//
// Null and the zero value are different things: an empty string that the API
// sent is Some(""), a field that the API left out is the zero Opt.
type Opt[T any] struct {
	Value T
	Valid bool
}

// Some returns a non-null Opt that holds v.
func Some[T any](v T) Opt[T] { return Opt[T]{Value: v, Valid: true} }

// Get returns the value and whether there is one.
func (o Opt[T]) Get() (T, bool) { return o.Value, o.Valid }

// Or returns the value, or alt if it is null.
func (o Opt[T]) Or(alt T) T {
	if o.Valid {
		return o.Value
	}
	return alt
}
