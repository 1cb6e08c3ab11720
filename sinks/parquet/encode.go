package parquet

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"golang.org/x/sync/errgroup"

	"github.com/leads-etl/leads-etl/schema"
)

const (
	// strideRows is how many rows are added to a column at a time, and how often
	// pages and the size of the file are looked at.
	strideRows = 64
	// pageBytes is the size from which a page is ended. A row group holds one of each
	// of its columns before compression: with 1 MiB, a replay of 200,000 leads took
	// 20 MB more, and the files were 1 % smaller.
	pageBytes = 256 << 10
	// groupBytes is the size of a row group, before compression, from which it is
	// ended although it has not all its rows: very long rows do not make memory
	// grow.
	groupBytes = 64 << 20
	// libraryPageBytes keeps the library from ending pages by itself, which it
	// does wherever a call happens to end.
	libraryPageBytes = 1 << 30

	bloomBitsPerValue = 10
)

// bloomColumns are what single leads are looked up by. A filter must not be
// combined with a dictionary of limited size: the library then forgets values.
var bloomColumns = []string{"event_id", "lead_id", "item_id"}

// arrangement is the order in which rows come into a file.
type arrangement uint8

const (
	// byTime is by submitted time and lead id: rows that are not are refused, and
	// the file declares the order.
	byTime arrangement = iota
	// asTheyCome is any order: the file declares none.
	asTheyCome
)

// encoder writes one file. Where pages, row groups and the file end depends on
// the rows alone, not on how they come in.
type encoder struct {
	writer  *pq.GenericWriter[any]
	leaves  []leafColumn
	order   *order // nil if rows come as they come
	perRows int
	roll    int64

	stride, groupRows, groupSize int
	closed                       bool
}

func newEncoder(w io.Writer, rows arrangement, compression compress.Codec, rowGroupRows int, roll int64) *encoder {
	s := newFileSchema()
	options := []pq.WriterOption{
		s.Schema,
		pq.Compression(compression),
		pq.DataPageVersion(1),
		pq.PageBufferSize(libraryPageBytes),
		pq.WriteBufferSize(0), // the file below is buffered
		// These would stand in the pages' headers, uncompressed, personal or not.
		pq.DataPageStatistics(false),
		// Nothing that changes with the build, so that the same rows stay the same
		// bytes.
		pq.CreatedBy("leads-etl", strconv.Itoa(schema.Version), "parquet-go"),
		pq.KeyValueMetadata("leads-etl.schema_version", strconv.Itoa(schema.Version)),
	}
	options = append(options, bloomFilters())
	var sorted *order
	if rows == byTime {
		sorted = new(order)
		options = append(options, pq.SortingWriterConfig(pq.SortingColumns(pq.Ascending("submitted_time"), pq.Ascending("lead_id"))))
	}
	for i, path := range s.Columns() {
		if s.blind[i] != nil {
			// Bounds would stand in the footer, untruncated.
			options = append(options, pq.SkipPageBounds(path...))
		}
	}
	e := &encoder{writer: pq.NewGenericWriter[any](w, options...), order: sorted, perRows: rowGroupRows, roll: roll}
	for i, cw := range e.writer.ColumnWriters() {
		e.leaves = append(e.leaves, leafColumn{writer: cw, blind: s.blind[i]})
	}
	return e
}

func bloomFilters() pq.WriterOption {
	filters := make([]pq.BloomFilterColumn, len(bloomColumns))
	for i, name := range bloomColumns {
		filters[i] = pq.SplitBlockFilter(bloomBitsPerValue, name)
	}
	return pq.BloomFilters(filters...)
}

// Write adds rows until the file has its size.
func (e *encoder) Write(rows []schema.Row) (int, error) {
	if e.closed {
		return 0, errors.New("the Parquet file is complete")
	}
	for taken := 0; taken < len(rows); {
		if e.stride == 0 && e.writer.Size() >= e.roll {
			return taken, nil
		}
		n := min(strideRows-e.stride, e.perRows-e.groupRows, len(rows)-taken)
		if err := e.add(rows[taken : taken+n]); err != nil {
			return taken, err
		}
		taken += n
	}
	return len(rows), nil
}

// add adds rows of one stride, and ends what is to end after it.
func (e *encoder) add(rows []schema.Row) error {
	if e.order != nil {
		if err := e.order.check(rows); err != nil {
			return err
		}
	}
	leaves := e.leaves
	for i := range schema.Columns {
		c := &schema.Columns[i]
		width := 1
		if c.Type == schema.TypeMessages {
			width = len(schema.MessageColumns)
		}
		addColumn(leaves[:width], c, rows)
		for j := range leaves[:width] {
			if leaves[j].invalid {
				return fmt.Errorf("encode row: column %s is not valid UTF-8", c.Name)
			}
			if err := e.flushValues(&leaves[j], len(rows)); err != nil {
				return fmt.Errorf("column %s: %w", c.Name, err)
			}
		}
		leaves = leaves[width:]
	}
	e.stride += len(rows)
	e.groupRows += len(rows)
	if e.stride < strideRows && e.groupRows < e.perRows {
		return nil
	}
	e.stride = 0
	return e.endPages()
}

// flushValues hands a leaf's values to its column writer, which does not itself
// see to it that all columns get the same number of rows.
func (e *encoder) flushValues(l *leafColumn, rows int) error {
	n, err := l.writer.WriteRowValues(l.values)
	if err == nil && n != rows {
		err = fmt.Errorf("%d rows became %d", rows, n)
	}
	clear(l.values) // they point to the caller's strings
	l.values = l.values[:0]
	l.page += l.bytes
	e.groupSize += l.bytes
	l.bytes = 0
	return err
}

// endPages ends the pages that have their size, and the row group if it has its
// rows or its size.
func (e *encoder) endPages() error {
	if e.groupRows >= e.perRows || e.groupSize >= groupBytes {
		return e.endGroup()
	}
	for i := range e.leaves {
		l := &e.leaves[i]
		if l.page < pageBytes {
			continue
		}
		if err := l.writer.Flush(); err != nil {
			return fmt.Errorf("end a page: %w", err)
		}
		l.page = 0
	}
	return nil
}

func (e *encoder) endGroup() error {
	if err := e.endColumns(); err != nil {
		return err
	}
	if err := e.writer.Flush(); err != nil {
		return fmt.Errorf("end a row group: %w", err)
	}
	for i := range e.leaves {
		e.leaves[i].page = 0
	}
	e.groupRows, e.groupSize = 0, 0
	return nil
}

// endColumns ends the last page of each column of the row group, several columns
// at a time. Pages are most of the work, for they are compressed, and each column
// has its own until the row group is put together: which of them is compressed first
// makes no difference to the file. It takes no more memory than that of a page for
// each.
func (e *encoder) endColumns() error {
	var ending errgroup.Group
	ending.SetLimit(runtime.GOMAXPROCS(0))
	for i := range e.leaves {
		l := &e.leaves[i]
		if l.page == 0 {
			continue
		}
		ending.Go(func() error {
			if err := l.writer.Flush(); err != nil {
				return fmt.Errorf("end a page: %w", err)
			}
			return nil
		})
	}
	return ending.Wait()
}

// Buffered is the size of the row group that is being filled, before
// compression.
func (e *encoder) Buffered() int { return e.groupSize }

// Flush ends the row group.
func (e *encoder) Flush() error {
	if e.groupRows == 0 {
		return nil
	}
	e.stride = 0
	return e.endGroup()
}

// Close writes the last row group and the footer. A second call does nothing:
// the library would write a second footer.
func (e *encoder) Close() error {
	if e.closed {
		return nil
	}
	e.closed = true
	if err := e.endColumns(); err != nil {
		return err
	}
	if err := e.writer.Close(); err != nil {
		return fmt.Errorf("end the Parquet file: %w", err)
	}
	return nil
}
