package known

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// deadKey is where the sum of the dead letters of a query's window is kept.
func deadKey(p *journal.Page) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %t %s", p.Query.Item, p.Query.Status, p.Query.Messages, p.Window))
	return append([]byte{deadKind}, sum[:16]...)
}

// deadSum tells dead letters apart; nil if there are none.
func deadSum(letters []flatten.DeadLetter) []byte {
	if len(letters) == 0 {
		return nil
	}
	all := sha256.New()
	for _, l := range letters {
		var length [8]byte
		binary.LittleEndian.PutUint64(length[:], uint64(len(l.Raw)))
		all.Write(length[:])
		all.Write(l.Raw)
	}
	return all.Sum(nil)[:16]
}
