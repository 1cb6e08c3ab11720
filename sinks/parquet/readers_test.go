//go:build readers

package parquet

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// DuckDB reads the same rows from a file of each compression, LZ4 among them,
// whatever that made of the pages. The test needs Python with duckdb, which .ci/run
// installs; so it has a build tag of its own.
func TestCompressionsAreReadByDuckDB(t *testing.T) {
	for what, text := range textsOf {
		random := rand.New(rand.NewPCG(1, 2))
		rows := sinktest.Leads(sinktest.Day, 0, 2000)
		for i := range rows {
			rows[i].AdditionalInformation = schema.Some(text(random, 900))
		}
		c := DefaultConfig("")
		c.RowGroupRows = minRowGroupRows
		var files []string
		for _, c.Compression = range compressions {
			files = append(files, store(t, encode(t, c, rows, whole)))
		}
		script := fmt.Sprintf(`
import duckdb
files = %s
one = lambda query: duckdb.execute(query).fetchone()[0]
for f in files:
    rows = one(f"SELECT count(*) FROM '{f}'")
    other = one(f"SELECT count(*) FROM ((FROM '{f}' EXCEPT ALL FROM '{files[0]}') UNION ALL (FROM '{files[0]}' EXCEPT ALL FROM '{f}'))")
    if (rows, other) != (%d, 0):
        raise SystemExit(f"file {files.index(f)} has {rows} rows, {other} of them others")
`, `["`+strings.Join(files, `","`)+`"]`, len(rows))
		if out, err := exec.Command("python3", "-c", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", what, err, out)
		}
	}
}
