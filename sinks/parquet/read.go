package parquet

import (
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/files"
)

// NewReader returns what reads the rows that are there, of the table and of the
// events. It touches nothing.
func NewReader(c Config, b deliver.Binding) (*files.Reader, error) {
	f, err := newFormat(c, byTime)
	if err != nil {
		return nil, err
	}
	return files.NewReader(files.Spec{Options: c.Options, Format: f, Binding: b})
}
