package kafka

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// positionVersion is the version of the position record. It rises when an older
// build could misread it.
const positionVersion = 1

// positionRecord is the value of a record in the positions topic: how far an
// output has come, and whose it is.
type positionRecord struct {
	Version int `json:"version"`
	deliver.Position
	Account     string `json:"account"`
	Marketplace string `json:"marketplace"`
	Topic       string `json:"topic"`
	// Written is for people who look.
	Written time.Time `json:"written"`
}

// positionKey names an output: one exporter's in one topic. A topic's name has
// no '/', so that no two outputs share a key.
func positionKey(transactionalID, pattern string) string { return transactionalID + "/" + pattern }

func (p positionRecord) encode() ([]byte, error) { return json.Marshal(p) }

// parsePosition reads the value of a position record. No value, a tombstone,
// means that the position was deleted.
func parsePosition(value []byte, b deliver.Binding) (deliver.Position, error) {
	if value == nil {
		return deliver.Position{}, nil
	}
	var r positionRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return deliver.Position{}, fmt.Errorf("not a position: %w", err)
	}
	switch {
	case r.Version < 1 || r.Journal == "":
		return deliver.Position{}, fmt.Errorf("not a position: version %d, journal %q", r.Version, r.Journal)
	case r.Version > positionVersion:
		return deliver.Position{}, fmt.Errorf("written by a newer leads-etl (version %d, this one knows %d): use that one, or a later one", r.Version, positionVersion)
	case r.Account != b.Account || r.Marketplace != b.Marketplace:
		return deliver.Position{}, fmt.Errorf("it belongs to account %q on %s, and this is %q on %s: each needs a transactional-id of its own",
			r.Account, r.Marketplace, b.Account, b.Marketplace)
	}
	return r.Position, nil
}
