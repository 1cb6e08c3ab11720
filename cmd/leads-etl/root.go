package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
)

// grammar is the command line.
type grammar struct {
	Config      string           `name:"config" short:"c" env:"LEADS_ETL_CONFIG" placeholder:"FILE" help:"Configuration file; leads-etl.toml, if it is there."`
	PrintConfig bool             `name:"print-config" help:"Print the configuration in force, and where each value came from, then exit."`
	Quiet       bool             `name:"quiet" short:"q" xor:"loudness" help:"No progress, and only warnings and errors in the log."`
	Verbose     bool             `name:"verbose" short:"v" xor:"loudness" help:"Debug messages in the log."`
	Version     kong.VersionFlag `name:"version" help:"Print the version, then exit."`
	Log         logConfig        `embed:"" prefix:"log-" envprefix:"LEADS_ETL_LOG_" group:"log"`

	Demo     demoCommand     `cmd:"" help:"See it work: no account, no broker, everything on this machine."`
	Batch    batchCommand    `cmd:"" help:"Export a closed range of time, then exit."`
	Run      runCommand      `cmd:"" help:"Do what the configuration says (mode, [batch] from, to, last)."`
	Check    checkCommand    `cmd:"" help:"Try the configuration: log in, call the API, reach every sink; export nothing."`
	Status   statusCommand   `cmd:"" help:"Show what is landed and delivered: positions, gaps, quota, lag."`
	Replay   replayCommand   `cmd:"" help:"Bring sinks up to date from the journal, without API calls."`
	Schema   schemaCommand   `cmd:"" help:"Print the schema of the event rows."`
	Simulate simulateCommand `cmd:"" help:"Run a stand-in for the API, with invented data and faults on demand."`
	Info     versionCommand  `cmd:"" name:"version" help:"Print version and build."`
}

// command is what every command of the grammar does.
type command interface {
	Run(ctx context.Context, p *process) error
}

// process is what a command has to work with.
type process struct {
	*console
	build build
	// configuration is nil for commands that take none.
	configuration *config.InForce
}

const description = `Exports eBay Classified Leads to Parquet files, NDJSON files and Kafka topics.

Every answer of the API is landed first; rows, files and records are derived from what is landed.`

// newParser builds the parser of the command line. exited tells whether kong
// ended the program (after --help, --version), which it may not do by itself.
func newParser(g *grammar, c *console, b build) (parser *kong.Kong, exited *bool, err error) {
	exited = new(bool)
	parser, err = kong.New(g,
		kong.Name(programName),
		kong.Description(description),
		kong.Vars{"version": b.String()},
		kong.Writers(c.out, c.err),
		kong.Exit(func(int) { *exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, NoExpandSubcommands: true, WrapUpperBound: 110}),
		kong.ExplicitGroups(sectionGroups),
		config.Mappers(),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("building the command line: %w", err)
	}
	shortenFlags(parser.Model.Node)
	return parser, exited, nil
}

// run is the program: it returns the exit code. It holds no global state and
// may be called more than once, but takes the process's signals while it runs.
func run(ctx context.Context, args, environ []string, stdout, stderr *os.File) int {
	c := newConsole(stdout, stderr, environ)
	err := dispatch(ctx, args, environ, c)
	return c.finish(err)
}

// dispatch parses the command line and runs the command.
func dispatch(ctx context.Context, args, environ []string, c *console) error {
	b := readBuild()
	var g grammar
	parser, exited, err := newParser(&g, c, b)
	if err != nil {
		return err
	}
	cfg := newConfigurer(parser, environ)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	selected, err := parser.Parse(withCommand(parser, args))
	switch {
	case *exited:
		return nil
	case err != nil:
		return &usageError{err: err, command: commandOf(err)}
	}
	target := selected.Selected().Target.Addr().Interface()
	c.configure(&g, cfg.sources.InForce(selected).Set("log", "level"))
	inForce, err := cfg.finish(&g, selected, target, c)
	if err != nil {
		return err
	}
	if g.PrintConfig {
		return nil
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	return target.(command).Run(ctx, &process{console: c, build: b, configuration: inForce})
}

// withCommand lets --print-config stand alone.
func withCommand(parser *kong.Kong, args []string) []string {
	if !slices.Contains(args, "--print-config") {
		return args
	}
	if trace, err := kong.Trace(parser, args); err == nil && trace.Error == nil && trace.Selected() == nil {
		return append(slices.Clone(args), "run")
	}
	return args
}

// commandOf returns the command on whose flags parsing failed, "" if none.
func commandOf(err error) string {
	if perr, ok := err.(*kong.ParseError); ok && perr.Context != nil {
		if node := perr.Context.Selected(); node != nil {
			return node.Name
		}
	}
	return ""
}
