package deliver

import (
	"context"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// Binding ties a sink to one seller's output. It is fixed for the sink's life.
type Binding struct {
	// JournalID is the id of the journal that the rows are derived from: output
	// written under another one is foreign.
	JournalID string
	// Account is the configuration's name for the seller, Marketplace eBay's name
	// of the marketplace, "EBAY_DE". Neither is empty.
	Account     string
	Marketplace string
}

// Position is how far in a journal an output has come: everything before Next
// is in it. It is stored together with the output it describes, by the sink,
// and nowhere else.
type Position struct {
	// Journal is the id of the journal; empty if the output has no position yet.
	Journal string `json:"journal"`
	// Next is the first record that is not delivered.
	Next journal.Seq `json:"next"`
	// Base and Through are for sinks that append: the stretch [Base, Through) of
	// the journal that was being delivered when Next was reached. What is out of
	// date within a stretch is left out of it, so to go on exactly there, a
	// successor has to know its bounds. A sink keeps them as they are.
	Base    journal.Seq `json:"base,omitempty"`
	Through journal.Seq `json:"through,omitempty"`
	// Snapshot says that the output is in the midst of being given what stands for
	// the pruned part of the journal, and where: Next is then only a number that
	// rises. A sink keeps it as it is.
	Snapshot string `json:"snapshot,omitempty"`
}

// Semantics is what a sink's commit does to what it committed before.
type Semantics uint8

const (
	// Append adds the rows after those committed before. Its only partition is
	// Whole.
	Append Semantics = iota
	// Replace puts the rows in the place of all rows of the partition.
	Replace
)

// Partition is the part of an output that has a position of its own and is
// committed as one.
type Partition struct {
	// Date is the UTC day of the rows' submitted time, "2026-09-01"; empty for
	// rows without one.
	Date string
	// All marks the one partition of an Append sink.
	All bool
}

// Whole is the partition of sinks that append.
var Whole = Partition{All: true}

// DateOf returns the partition of a row with that submitted time.
func DateOf(submitted schema.Opt[time.Time]) Partition {
	if !submitted.Valid {
		return Partition{}
	}
	return Partition{Date: submitted.Value.UTC().Format(time.DateOnly)}
}

// String is the partition as it is named to people.
func (p Partition) String() string {
	switch {
	case p.All:
		return "all"
	case p.Date == "":
		return "undated"
	default:
		return p.Date
	}
}

// Sink is one destination of event rows, bound to one account and marketplace.
// A sink is used by one goroutine at a time, and each of its transactions by one.
//
// The contract, which sinktest.Run holds every sink to:
//
//   - A transaction is all or nothing. Before Commit returns nothing of it can be
//     seen by a reader who keeps to the sink's rules (the manifest's final names,
//     read_committed); after Commit has returned nil, rows and position are
//     durable, both or neither. If Commit returns an error, the outcome may be
//     either: Position, asked of a newly opened sink, tells.
//   - Position is read back from the destination, never from a local belief. A
//     destination that is empty, or was written for another journal, has the
//     zero Position or the other journal's.
//   - The same rows committed again at the same position give the same output.
//   - Opening a sink again fences or cleans up what a dead predecessor left:
//     open transactions, temporary files.
//   - Errors name the destination (file, broker, topic), never a row's values.
//     Those that no repetition can mend are *PermanentError.
type Sink interface {
	// Name is the sink's name in messages and options: "kafka", "parquet", …
	Name() string
	// Semantics says what Commit does.
	Semantics() Semantics
	// Position returns the committed position of the partition.
	Position(ctx context.Context, p Partition) (Position, error)
	// Begin opens a transaction on the partition, of which at most one is open at a
	// time. Those of a Replace sink on several partitions know nothing of each other:
	// one may be written while another is committed.
	Begin(ctx context.Context, p Partition) (Transaction, error)
	// Close releases the sink. Open transactions are rolled back; none may be in use.
	// It is safe to call more than once.
	Close() error
}

// Transaction is one unit of output.
type Transaction interface {
	// Write adds rows. They are the caller's again when it returns: a sink copies
	// or encodes what it keeps. Rows for a Replace sink come sorted by submitted
	// time, then lead id. Memory does not grow with the rows written.
	Write(ctx context.Context, rows []schema.Row) error
	// Commit makes the rows and the position durable and visible. A Replace
	// transaction without rows leaves the partition without any: files of this
	// account that are there are removed if the sink's own, and set aside if
	// written under another journal.
	Commit(ctx context.Context, next Position) (Receipt, error)
	// Rollback gives the transaction up and removes its traces. It is safe after
	// Commit, and then does nothing.
	Rollback() error
}

// Lingering is a transaction that had better be committed late: a file that
// holds the rows of five minutes serves readers better than one of each second.
type Lingering interface {
	Transaction
	// Linger returns how much longer the transaction should be kept open for more
	// rows; it is due if that is not positive.
	Linger() time.Duration
}

// Receipt says what a commit did.
type Receipt struct {
	// Rows that the transaction held.
	Rows int
	// Files written anew (0 if the partition's bytes were already these) and
	// the bytes sent or written.
	Files int
	Bytes int64
	// Unchanged says that the output already held exactly this.
	Unchanged bool
	// Superseded are files written under another journal that were set aside,
	// as paths relative to the output folder, where they are now.
	Superseded []string
}

// PermanentError marks a failure that no repetition can mend: wrong
// credentials, a missing right, a fenced producer, a full disk.
type PermanentError struct{ Err error }

func (e *PermanentError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *PermanentError) Unwrap() error { return e.Err }
