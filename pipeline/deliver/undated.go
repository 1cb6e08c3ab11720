package deliver

import (
	"strings"
	"sync"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// undatedBytes bounds the memory of the undated leads that are kept.
const undatedBytes = 8 << 20

// undated keeps the leads of pages that belong to no window, which are few, as
// whoever reads a page meets them: they are written when all is landed, and pages
// would have to be read again for nothing else. What there is no room for is read
// again.
type undated struct {
	limit int64

	mu    sync.Mutex
	pages map[journal.Seq]flatten.Result
	bytes int64
}

func newUndated(limit int64) *undated {
	return &undated{limit: limit, pages: make(map[journal.Seq]flatten.Result)}
}

// of returns what the page holds outside of all windows, if that is kept. It is
// shared, as what Reader.Page returns.
func (u *undated) of(seq journal.Seq) (flatten.Result, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	r, ok := u.pages[seq]
	return r, ok
}

// keep keeps it of what was read of a page.
func (u *undated) keep(seq journal.Seq, r flatten.Result) {
	part := r.Outside()
	size := sizeOf(part)
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.pages[seq]; ok || len(part.Undated) == 0 || u.bytes+size > u.limit {
		return
	}
	rows := make([]schema.Row, len(part.Undated))
	for i := range rows {
		rows[i] = cloned(&part.Undated[i])
	}
	part.Undated = rows
	u.pages[seq] = part
	u.bytes += size
}

// cloned returns a copy of the row that shares no memory with its page, which would
// be kept with it.
func cloned(r *schema.Row) schema.Row {
	c := *r
	for i := range schema.Columns {
		switch v := schema.Columns[i].Field(&c).(type) {
		case *string:
			*v = strings.Clone(*v)
		case *schema.Opt[string]:
			v.Value = strings.Clone(v.Value)
		case *schema.Opt[schema.Decimal]:
			v.Value.Text = strings.Clone(v.Value.Text)
		case *schema.Opt[[]schema.Message]:
			v.Value = clonedMessages(v.Value)
		}
	}
	return c
}

func clonedMessages(messages []schema.Message) []schema.Message {
	if messages == nil {
		return nil
	}
	c := make([]schema.Message, len(messages))
	for i, m := range messages {
		m.Question.Value, m.Response.Value = strings.Clone(m.Question.Value), strings.Clone(m.Response.Value)
		c[i] = m
	}
	return c
}
