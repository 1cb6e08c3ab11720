package known

import (
	"crypto/sha256"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
)

// deadKey is where it is noted that a dead letter was landed.
func deadKey(l *flatten.DeadLetter) []byte {
	sum := sha256.Sum256(l.Raw)
	return append([]byte{deadKind}, sum[:16]...)
}

// deadKnown reports whether all of the dead letters were landed before: with
// these very bytes, in whatever page.
func deadKnown(view pebble.Reader, letters []flatten.DeadLetter) (bool, error) {
	for i := range letters {
		noted, err := get(view, deadKey(&letters[i]))
		if err != nil {
			return false, fmt.Errorf("reading known dead letters: %w", err)
		}
		if noted == nil {
			return false, nil
		}
	}
	return true, nil
}
