package known

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// deadKey is where the sum of the dead letters of a query's window is kept.
func deadKey(p *journal.Page) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %t %s", p.Query.Item, p.Query.Status, p.Query.Messages, p.Window))
	return append([]byte{deadKind}, sum[:16]...)
}

// deadSum tells dead letters apart, whatever their order; nil if there are none.
func deadSum(letters []flatten.DeadLetter) []byte {
	if len(letters) == 0 {
		return nil
	}
	sums := make([][]byte, len(letters))
	for i, l := range letters {
		sum := sha256.Sum256(l.Raw)
		sums[i] = sum[:]
	}
	slices.SortFunc(sums, bytes.Compare)
	all := sha256.Sum256(bytes.Join(sums, nil))
	return all[:16]
}
