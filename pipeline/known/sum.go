package known

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Sum returns a checksum, in hexadecimal digits, of all leads and events: two
// stores that have taken in the same of one journal have the same. It reads the
// whole store.
func (s *Store) Sum(ctx context.Context) (string, error) {
	all, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{metaKind + 1}})
	if err != nil {
		return "", s.checked(fmt.Errorf("reading known leads: %w", err))
	}
	sum := sha256.New()
	for ok := all.First(); ok && err == nil; ok = all.Next() {
		var value []byte
		if value, err = all.ValueAndErr(); err != nil {
			break
		}
		var lengths [8]byte
		binary.LittleEndian.PutUint32(lengths[:], uint32(len(all.Key())))
		binary.LittleEndian.PutUint32(lengths[4:], uint32(len(value)))
		sum.Write(lengths[:])
		sum.Write(all.Key())
		sum.Write(value)
		err = ctx.Err()
	}
	if closeErr := all.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", s.checked(fmt.Errorf("reading known leads: %w", err))
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
