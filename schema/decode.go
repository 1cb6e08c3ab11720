package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// columnByName finds columns and members of messages.
var (
	columnByName        = index(Columns, func(c Column) string { return c.Name })
	messageColumnByName = index(MessageColumns, func(c MessageColumn) string { return c.Name })
)

func index[T any](table []T, name func(T) string) map[string]*T {
	byName := make(map[string]*T, len(table))
	for i := range table {
		byName[name(table[i])] = &table[i]
	}
	return byName
}

// ParseJSON reads a row back from what AppendJSON wrote. It is strict: a member
// that is no column, a null, a value of another type, a column missing that
// cannot be null, and everything else that AppendJSON does not write (a time
// without its three digits, a number with a point) are errors. Only the order
// of members, white space and escapes are free. Errors name the column, never
// its value.
//
// The row shares no memory with line.
func ParseJSON(line []byte) (Row, error) {
	var r Row
	d := jsontext.NewDecoder(bytes.NewReader(line))
	seen := make(map[string]bool, len(Columns))
	err := parseObject(d, func(name string) error {
		c := columnByName[name]
		if c == nil {
			// Not by its name, which may be anything.
			return errors.New("a member is not a column")
		}
		seen[name] = true
		if err := parseColumn(d, c, &r); err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		return nil
	})
	if err != nil {
		return Row{}, fmt.Errorf("parse row: %w", err)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return Row{}, errors.New("parse row: more follows the object")
	}
	for _, c := range Columns {
		if !c.Nullable && !seen[c.Name] {
			return Row{}, fmt.Errorf("parse row: column %s is missing", c.Name)
		}
	}
	return r, nil
}

func parseColumn(d *jsontext.Decoder, c *Column, r *Row) (err error) {
	switch v := c.Field(r).(type) {
	case *string:
		*v, err = parseString(d)
	case *Opt[string]:
		v.Valid = true
		v.Value, err = parseString(d)
		if err == nil && c.Type == TypeJSON && !isJSONObject(v.Value) {
			err = errors.New("not the text of a JSON object")
		}
	case *EventType:
		var s string
		s, err = parseString(d)
		*v = EventType(s)
		if err == nil && !slices.Contains(EventTypes, *v) {
			err = errors.New("not an event type")
		}
	case *int32:
		var n int64
		n, err = parseInt(d, 32)
		*v = int32(n)
	case *Opt[int32]:
		var n int64
		n, err = parseInt(d, 32)
		*v = Some(int32(n))
	case *Opt[bool]:
		v.Valid = true
		v.Value, err = parseBool(d)
	case *time.Time:
		*v, err = parseTime(d)
	case *Opt[time.Time]:
		v.Valid = true
		v.Value, err = parseTime(d)
	case *Opt[Decimal]:
		var s string
		if s, err = parseString(d); err == nil {
			v.Valid = true
			v.Value, err = ParseDecimal(s)
		}
	case *Opt[[]Message]:
		*v = Some([]Message{})
		err = parseArray(d, func() error {
			m, err := parseMessage(d)
			v.Value = append(v.Value, m)
			return err
		})
	case *Opt[[]string]:
		*v = Some([]string{})
		err = parseArray(d, func() error {
			s, err := parseString(d)
			v.Value = append(v.Value, s)
			return err
		})
	default:
		panic("schema: column " + c.Name + " has a type without a decoding")
	}
	return err
}

func parseMessage(d *jsontext.Decoder) (m Message, err error) {
	err = parseObject(d, func(name string) (err error) {
		c := messageColumnByName[name]
		if c == nil {
			return errors.New("a message has an unknown member")
		}
		switch v := c.Field(&m).(type) {
		case *Opt[int64]:
			v.Valid = true
			v.Value, err = parseInt(d, 64)
		case *Opt[time.Time]:
			v.Valid = true
			v.Value, err = parseTime(d)
		case *Opt[string]:
			v.Valid = true
			v.Value, err = parseString(d)
		}
		return err
	})
	return m, err
}

// parseObject calls member for each member of the next value, which has to read
// the member's value.
func parseObject(d *jsontext.Decoder, member func(name string) error) error {
	if _, err := expect(d, '{'); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := parseString(d)
		if err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
	}
	_, err := expect(d, '}')
	return err
}

// parseArray calls element for each element of the next value, which has to
// read it.
func parseArray(d *jsontext.Decoder, element func() error) error {
	if _, err := expect(d, '['); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := expect(d, ']')
	return err
}

func parseString(d *jsontext.Decoder) (string, error) {
	t, err := expect(d, '"')
	if err != nil {
		return "", err
	}
	return t.String(), nil
}

func parseInt(d *jsontext.Decoder, bits int) (int64, error) {
	t, err := expect(d, '0')
	if err != nil {
		return 0, err
	}
	s := t.String()
	n, err := strconv.ParseInt(s, 10, bits)
	if err != nil || s != strconv.FormatInt(n, 10) {
		return 0, fmt.Errorf("not an integer of %d bits", bits)
	}
	return n, nil
}

func parseBool(d *jsontext.Decoder) (bool, error) {
	kind := jsontext.Kind('f')
	if d.PeekKind() == 't' {
		kind = 't'
	}
	_, err := expect(d, kind)
	return kind == 't', err
}

func parseTime(d *jsontext.Decoder) (time.Time, error) {
	s, err := parseString(d)
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(milliLayout, s)
	// Parse takes some liberties, such as a comma for the point.
	if err != nil || s != FormatTime(t) {
		return time.Time{}, errors.New("not a time with milliseconds and Z")
	}
	return t, nil
}

// expect reads a token of the kind. Its errors hold offsets but no text of the
// row.
func expect(d *jsontext.Decoder, kind jsontext.Kind) (jsontext.Token, error) {
	at := d.InputOffset()
	t, err := d.ReadToken()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return t, fmt.Errorf("the text ends within the row: %w", io.ErrUnexpectedEOF)
	case errors.Is(err, jsontext.ErrDuplicateName):
		return t, fmt.Errorf("a name occurs twice after offset %d", at)
	case err != nil:
		return t, fmt.Errorf("not JSON after offset %d", at)
	case t.Kind() != kind:
		return t, fmt.Errorf("a value after offset %d has another type than its column", at)
	}
	return t, nil
}
