package ndjson

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leads-etl/leads-etl/sinks/files"
)

// The compressions that there are.
const (
	None = "none"
	Gzip = "gzip"
	Zstd = "zstd"
)

var compressions = []string{None, Gzip, Zstd}

// Config is the section [ndjson].
type Config struct {
	files.Options
	Compression string `name:"compression" help:"none, gzip or zstd." default:"zstd" env:"COMPRESSION"`
}

// DefaultConfig returns what the tags say, for a folder.
func DefaultConfig(dir string) Config {
	return Config{Options: files.DefaultOptions(dir), Compression: Zstd}
}

// Validate reports everything that is wrong with the section.
func (c *Config) Validate(report func(key, problem string)) {
	c.Options.Validate(report)
	if !slices.Contains(compressions, c.Compression) {
		report("compression", fmt.Sprintf("%q is none of %s", c.Compression, strings.Join(compressions, ", ")))
	}
}
