package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	pq "github.com/parquet-go/parquet-go"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/files"
)

// decodeRows is how many rows are taken from the library at a time.
const decodeRows = 256

// backward yields the rows of a file from the last to the first: of so many together
// as may be held, for within a page they come from the first to the last.
func backward(ctx context.Context, file files.Stored, _ *files.Spool) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		for to := file.Rows; to > 0; to -= file.Hold {
			if err := ctx.Err(); err != nil {
				yield(schema.Row{}, err)
				return
			}
			rows := make([]schema.Row, 0, min(to, file.Hold))
			for row, err := range decode(file, file.Size, max(to-file.Hold, 0), to) {
				if err != nil {
					yield(schema.Row{}, err)
					return
				}
				rows = append(rows, row)
			}
			for _, row := range slices.Backward(rows) {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// decode yields the rows [from, to) of a file. Row groups that hold none of them
// are passed over.
func decode(file io.ReaderAt, size int64, from, to int) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		source := &pageSource{ReaderAt: file}
		f, err := pq.OpenFile(source, size, pq.SkipBloomFilters(true))
		if err != nil {
			yield(schema.Row{}, err)
			return
		}
		leaves, err := leavesOf(f.Schema())
		if err != nil {
			yield(schema.Row{}, err)
			return
		}
		if n := f.NumRows(); n < int64(to) {
			yield(schema.Row{}, fmt.Errorf("it has %d rows, and should have %d", n, to))
			return
		}
		first := 0 // of the row group
		for i, g := range f.RowGroups() {
			end := first + int(g.NumRows())
			if from < end && first < to {
				if err := source.hideSizes(f, i); err != nil {
					yield(schema.Row{}, err)
					return
				}
				if !decodeGroup(g, leaves, max(from-first, 0), min(to, end)-first, yield) {
					return
				}
			}
			first = end
		}
	}
}

// decodeGroup yields the rows [from, to) of a row group, and reports whether to
// go on.
func decodeGroup(g pq.RowGroup, leaves []decodedLeaf, from, to int, yield func(schema.Row, error) bool) bool {
	rows := g.Rows()
	defer rows.Close() // it was read only
	if err := rows.SeekToRow(int64(from)); err != nil {
		yield(schema.Row{}, err)
		return false
	}
	buffer := make([]pq.Row, decodeRows)
	for left := to - from; left > 0; {
		n, err := rows.ReadRows(buffer[:min(left, len(buffer))])
		for _, values := range buffer[:n] {
			var r schema.Row
			for leaf, v := range values.Range {
				if leaf < len(leaves) {
					leaves[leaf].fill(&r, v)
				}
			}
			if !yield(r, nil) {
				return false
			}
		}
		left -= n
		switch {
		case left == 0:
		case errors.Is(err, io.EOF), err == nil && n == 0:
			err = io.ErrUnexpectedEOF
			fallthrough
		case err != nil:
			yield(schema.Row{}, err)
			return false
		}
	}
	return true
}

// decodedLeaf says where the values of one of a file's leaves go.
type decodedLeaf struct {
	column *schema.Column
	// member is that of messages, nil for other columns.
	member *schema.MessageColumn
}

// leavesOf holds a file's schema to that of this build: to be decoded, its leaves
// have to be the same, in their order and of the same physical types.
func leavesOf(s *pq.Schema) ([]decodedLeaf, error) {
	want := newFileSchema().Schema
	paths := want.Columns()
	if !slices.EqualFunc(s.Columns(), paths, slices.Equal) {
		return nil, errors.New("its columns are not those of an event row, or were written by another version of leads-etl")
	}
	leaves := make([]decodedLeaf, len(paths))
	for i, path := range paths {
		have, _ := s.Lookup(path...)
		wanted, _ := want.Lookup(path...)
		if have.Node.Type().Kind() != wanted.Node.Type().Kind() ||
			have.MaxDefinitionLevel != wanted.MaxDefinitionLevel || have.MaxRepetitionLevel != wanted.MaxRepetitionLevel {
			return nil, fmt.Errorf("column %s has another type than in an event row", path[0])
		}
		j := slices.IndexFunc(schema.Columns, func(c schema.Column) bool { return c.Name == path[0] })
		leaves[i].column = &schema.Columns[j]
		if leaves[i].column.Type == schema.TypeMessages {
			k := slices.IndexFunc(schema.MessageColumns, func(c schema.MessageColumn) bool { return c.Name == path[len(path)-1] })
			leaves[i].member = &schema.MessageColumns[k]
		}
	}
	return leaves, nil
}

// fill sets a row's column, or a member of its messages, from the values of the
// leaf. It is the reverse of addColumn. Values are copied: their memory is the
// page's.
func (l *decodedLeaf) fill(r *schema.Row, values []pq.Value) {
	v := values[0]
	null := v.DefinitionLevel() == 0
	switch f := l.column.Field(r).(type) {
	case *string:
		*f = textOf(v)
	case *schema.EventType:
		*f = schema.EventType(textOf(v))
	case *int32:
		*f = v.Int32()
	case *time.Time:
		*f = timeOf(v)
	case *schema.Opt[string]:
		fillOptional(f, null, v, textOf)
	case *schema.Opt[int32]:
		fillOptional(f, null, v, pq.Value.Int32)
	case *schema.Opt[bool]:
		fillOptional(f, null, v, pq.Value.Boolean)
	case *schema.Opt[time.Time]:
		fillOptional(f, null, v, timeOf)
	case *schema.Opt[schema.Decimal]:
		fillOptional(f, null, v, decimalOf)
	case *schema.Opt[[]string]:
		if null {
			return
		}
		*f = schema.Some([]string{})
		for _, v := range values {
			if v.DefinitionLevel() == listElement {
				f.Value = append(f.Value, textOf(v))
			}
		}
	case *schema.Opt[[]schema.Message]:
		if !null {
			l.fillMessages(f, values)
		}
	default:
		panic("parquet: column " + l.column.Name + " has a type without a decoding")
	}
}

func (l *decodedLeaf) fillMessages(f *schema.Opt[[]schema.Message], values []pq.Value) {
	f.Valid = true
	if values[0].DefinitionLevel() == listEmpty {
		f.Value = []schema.Message{}
		return
	}
	if f.Value == nil { // the first of the leaves
		f.Value = make([]schema.Message, len(values))
	}
	for i, v := range values[:min(len(values), len(f.Value))] {
		null := v.DefinitionLevel() < listMember
		switch m := l.member.Field(&f.Value[i]).(type) {
		case *schema.Opt[int64]:
			fillOptional(m, null, v, pq.Value.Int64)
		case *schema.Opt[time.Time]:
			fillOptional(m, null, v, timeOf)
		case *schema.Opt[string]:
			fillOptional(m, null, v, textOf)
		default:
			panic("parquet: a member of messages has a type without a decoding")
		}
	}
}

func fillOptional[T any](o *schema.Opt[T], null bool, v pq.Value, of func(pq.Value) T) {
	if !null {
		*o = schema.Some(of(v))
	}
}

func textOf(v pq.Value) string { return string(v.ByteArray()) }

func timeOf(v pq.Value) time.Time { return time.UnixMicro(v.Int64()).UTC() }

// decimalOf is an amount without the zeros with which it may have been sent.
func decimalOf(v pq.Value) schema.Decimal {
	d := schema.Decimal{Unscaled: v.Int64()}
	d.Text = d.Canonical()
	return d
}
