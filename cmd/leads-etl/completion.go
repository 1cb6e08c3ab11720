package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/guide"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/kafka"
	"github.com/leads-etl/leads-etl/source"
	"github.com/leads-etl/leads-etl/source/simulator"
)

type completionCommand struct {
	Shell string `arg:"" help:"bash, zsh or fish."`
}

func (c *completionCommand) Help() string {
	return `Examples:

    source <(leads-etl completion bash)
    leads-etl completion bash > ~/.local/share/bash-completion/completions/leads-etl
    leads-etl completion zsh > ~/.zfunc/_leads-etl
    leads-etl completion fish > ~/.config/fish/completions/leads-etl.fish

The script knows all commands, flags, and the values of flags that have few. It does not run the program.`
}

func (c *completionCommand) Run(_ context.Context, p *process) error {
	parser, err := p.parser()
	if err != nil {
		return err
	}
	if err := guide.Complete(p.out, parser.Model, c.Shell, valuesOf); err != nil {
		return &usageError{err: fmt.Errorf("completion: %w", err), command: "completion"}
	}
	return nil
}

// parser builds the command line's grammar once more, for commands that tell of
// it: without the flags that are hidden.
func (p *process) parser() (*kong.Kong, error) {
	parser, _, err := newParser(new(grammar), p.console, p.build)
	if err != nil {
		return nil, err
	}
	config.New(parser.Model, envPrefix)
	return parser, nil
}

// fewValues are the values of flags and arguments that take few, and that are
// checked where they belong, not by the grammar.
var fewValues = map[string][]string{
	"mode":                 {modeBatch, modeStream},
	"ebay-environment":     {source.Production, source.Sandbox},
	"ebay-grant":           {source.ClientCredentials, source.RefreshToken},
	"ebay-marketplace":     simulator.Marketplaces,
	"status":               {source.Answered, source.Unanswered},
	"sink":                 sinkKinds,
	"output":               sinkKinds,
	"parquet-compression":  {"none", "snappy", "gzip", "lz4", "zstd"},
	"ndjson-compression":   {"none", "gzip", "zstd"},
	"kafka-compression":    {"none", "gzip", "snappy", "lz4", "zstd"},
	"kafka-delivery":       {kafka.ExactlyOnce, kafka.AtLeastOnce},
	"kafka-vanished":       {kafka.VanishedEvent, kafka.VanishedTombstone},
	"kafka-sasl-mechanism": {kafka.Plain, kafka.ScramSHA256, kafka.ScramSHA512},
	"format":               schema.Formats(),
	"shell":                guide.Shells(),
}

func valuesOf(name string) []string { return fewValues[name] }
