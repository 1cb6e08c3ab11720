package known

import (
	"time"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// Event is what one landed page changed about one lead. It does not hold the
// lead's content, but says where in the journal that is.
type Event struct {
	// Seq is the page whose answer showed the change.
	Seq  journal.Seq
	Type schema.EventType
	// Lead is the lead's id: it stays the same when its buyer is renamed.
	Lead uuid.UUID
	// Version counts the stream's events of the lead, from 1; it is 0 for
	// snapshots, whose lead_version is null.
	Version int32
	// Changed are the columns of an Updated event that differ from the version
	// before, in the order of schema.Columns; there may be none.
	Changed []string
	// Page is the landed page that shows the content, and Row the lead id that
	// flattening gives it there. For Vanished it is the page that showed the lead
	// last; for all others Page is Seq.
	Page journal.Seq
	Row  uuid.UUID
	// Submitted is the row's submitted time; null for rows that flattening
	// returns as undated.
	Submitted schema.Opt[time.Time]
}
