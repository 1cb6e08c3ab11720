package parquet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leads-etl/leads-etl/sinks/files"
)

// The compressions that there are.
const (
	None   = "none"
	Snappy = "snappy"
	Gzip   = "gzip"
	LZ4    = "lz4"
	Zstd   = "zstd"
)

var compressions = []string{None, Snappy, Gzip, LZ4, Zstd}

// Bounds of row-group-rows. The format holds at most 32767 row groups in a
// file, and a row group is held in memory.
const (
	minRowGroupRows = 1_000
	maxRowGroupRows = 1_000_000
)

// Config is the section [parquet].
type Config struct {
	files.Options
	Compression  string `name:"compression" help:"none, snappy, gzip, lz4 or zstd." default:"zstd" env:"COMPRESSION"`
	RowGroupRows int    `name:"row-group-rows" help:"Rows in a row group. Memory grows with it; engines skip row groups by submitted_time." default:"25000" env:"ROW_GROUP_ROWS"`
}

// DefaultConfig returns what the tags say, for a folder.
func DefaultConfig(dir string) Config {
	return Config{Options: files.DefaultOptions(dir), Compression: Zstd, RowGroupRows: 25_000}
}

// Validate reports everything that is wrong with the section.
func (c *Config) Validate(report func(key, problem string)) {
	c.Options.Validate(report)
	if !slices.Contains(compressions, c.Compression) {
		report("compression", fmt.Sprintf("%q is none of %s", c.Compression, strings.Join(compressions, ", ")))
	}
	if c.RowGroupRows < minRowGroupRows || c.RowGroupRows > maxRowGroupRows {
		report("row-group-rows", fmt.Sprintf("must be between %d and %d", minRowGroupRows, maxRowGroupRows))
	}
}
