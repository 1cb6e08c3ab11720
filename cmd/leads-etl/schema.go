package main

import (
	"context"
	"slices"
	"strings"

	"github.com/leads-etl/leads-etl/schema"
)

type schemaCommand struct {
	Format string `arg:"" optional:"" default:"json-schema" help:"Form of the description (default: json-schema)."`
}

// Help lists the formats.
func (c *schemaCommand) Help() string {
	return "Examples:\n\n    leads-etl schema\n    leads-etl schema avro > lead.avsc\n    leads-etl schema sql-bigquery\n\nThe formats are " + strings.Join(schema.Formats(), ", ") + "."
}

func (c *schemaCommand) Run(_ context.Context, p *process) error {
	err := schema.Describe(p.out, c.Format)
	if err != nil && !slices.Contains(schema.Formats(), c.Format) {
		return &usageError{err: err, command: "schema"}
	}
	return err
}
