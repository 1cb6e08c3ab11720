package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/monitor"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/tracing"
)

// grammar is the command line.
type grammar struct {
	Config      string           `name:"config" short:"c" env:"LEADS_ETL_CONFIG" placeholder:"FILE" help:"Configuration file; leads-etl.toml, if it is there."`
	PrintConfig bool             `name:"print-config" help:"Print the configuration in force, and where each value came from, then exit."`
	Quiet       bool             `name:"quiet" short:"q" xor:"loudness" help:"No progress, and only warnings and errors in the log."`
	Verbose     bool             `name:"verbose" short:"v" xor:"loudness" help:"Debug messages in the log."`
	Version     kong.VersionFlag `name:"version" help:"Print the version, then exit."`
	Log         logConfig        `embed:"" prefix:"log-" envprefix:"LEADS_ETL_LOG_" group:"log"`

	Demo       demoCommand       `cmd:"" help:"See it work: no account, no broker, everything on this machine."`
	Init       initCommand       `cmd:"" help:"Write a configuration, by asking or by flags."`
	Batch      batchCommand      `cmd:"" help:"Export a closed range of time, then exit."`
	Stream     streamCommand     `cmd:"" help:"Poll on: emit what is new, changed or gone, until SIGTERM."`
	Run        runCommand        `cmd:"" help:"Do what the configuration says (mode, [batch], [stream])."`
	Check      checkCommand      `cmd:"" help:"Try the configuration: log in, call the API, reach every sink; export nothing."`
	Status     statusCommand     `cmd:"" help:"Show what is landed and delivered: positions, gaps, quota, lag."`
	Replay     replayCommand     `cmd:"" help:"Bring sinks up to date from the journal, without API calls."`
	Show       showCommand       `cmd:"" aliases:"cat" help:"Show rows of what is landed: leads, or what happened to them."`
	History    historyCommand    `cmd:"" help:"Show all versions of a lead, and what changed."`
	Report     reportCommand     `cmd:"" help:"Write one page of HTML with plots and tables, without personal data."`
	Prune      pruneCommand      `cmd:"" help:"Remove what is older than state.keep and every sink has."`
	Repair     repairCommand     `cmd:"" help:"Keep what is readable of a damaged journal, and have the rest fetched again."`
	Schema     schemaCommand     `cmd:"" help:"Print the schema of the event rows."`
	Simulate   simulateCommand   `cmd:"" help:"Run a stand-in for the API, with invented data and faults on demand."`
	Completion completionCommand `cmd:"" help:"Print the completions for a shell."`
	Man        manCommand        `cmd:"" help:"Print the manual page."`
	Help       helpCommand       `cmd:"" help:"Print the help of a command."`
	Info       versionCommand    `cmd:"" name:"version" help:"Print version and build."`
}

// command is what every command of the grammar does.
type command interface {
	Run(ctx context.Context, p *process) error
}

// process is what a command has to work with.
type process struct {
	*console
	build   build
	environ []string
	// monitor is what tells others how the command is doing; nil for commands that
	// nobody watches.
	monitor *monitor.Monitor
	// tracer is nil without traces.
	tracer *tracing.Tracer
	// line is what the command was called with; reread reads all of it again, as it
	// is now.
	line   *commandLine
	reread func() (*commandLine, error)
	// stop is closed when a stream is to come to its end; nil for other commands,
	// which their context ends.
	stop <-chan struct{}
	// hangups are the SIGHUPs that a stream gets; nil for other commands.
	hangups <-chan os.Signal
}

// command is the name of the command that runs; "demo" has no line.
func (p *process) command() string {
	if p.line == nil {
		return "demo"
	}
	return p.line.name
}

const description = `Exports eBay Classified Leads to Parquet files, NDJSON files and Kafka topics.

Every answer of the API is landed first; rows, files and records are derived from what is landed.`

// newParser builds the parser of the command line. exited tells whether kong
// ended the program (after --help, --version), which it may not do by itself.
func newParser(g *grammar, c *console, b build, more ...kong.Option) (parser *kong.Kong, exited *bool, err error) {
	exited = new(bool)
	parser, err = kong.New(g, append(more,
		kong.Name(programName),
		kong.Description(description),
		kong.Vars{"version": b.String()},
		kong.Writers(c.out, c.err),
		kong.Exit(func(int) { *exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, NoExpandSubcommands: true, WrapUpperBound: 110}),
		kong.ExplicitGroups(sectionGroups),
		config.Mappers(),
	)...)
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
	line, err := parse(args, environ, c, b)
	if line == nil {
		return err
	}
	c.configure(&line.grammar, line.levelSet)
	for _, w := range line.warnings {
		c.notice(w.String(), w.Hint)
	}
	switch {
	case line.grammar.PrintConfig && line.inForce == nil:
		return &usageError{err: errors.New("--print-config: this command takes no configuration"), command: line.name}
	case line.grammar.PrintConfig:
		return errors.Join(line.inForce.Print(c.out), err)
	}
	p := &process{console: c, build: b, environ: environ, line: line, reread: func() (*commandLine, error) { return parse(args, environ, c, b) }}
	if err != nil {
		p.leaveWord(ctx, time.Now(), err)
		return err
	}
	var release func()
	if s, ok := line.target.(streamer); ok && s.streams() {
		ctx, p.stop, release = untilSecondSignal(ctx)
		var letGo func()
		p.hangups, letGo = catchHangups()
		defer letGo()
	} else {
		ctx, release = untilSignal(ctx)
	}
	defer release()
	return p.observe(ctx)
}

// commandLine is a command line that was understood, with the configuration that
// goes with it.
type commandLine struct {
	grammar grammar
	target  command
	name    string
	// inForce is nil for commands that take no configuration.
	inForce *config.InForce
	// levelSet says that the level of the log was asked for.
	levelSet bool
	// warnings are what is odd about the configuration, but may be meant.
	warnings []config.Problem
	// file is the configuration file, which need not be there, and state what it was
	// like.
	file  string
	state fileState
}

// parse reads the command line, the environment and the configuration file. A
// line that cannot be understood is nil and an error; one that asks only for help
// is nil without. The line is there also if the error says what is wrong with the
// configuration (config.Problems).
func parse(args, environ []string, c *console, b build) (*commandLine, error) {
	if part, ok := partFor(args); ok {
		// What cannot be understood is told by the whole grammar, which knows what else
		// may have been meant.
		if line, err := parseBy(args, environ, c, b, part); line != nil || err == nil {
			return line, err
		}
	}
	return parseBy(args, environ, c, b)
}

// parseBy is parse with the whole grammar, or with what the options leave of it.
func parseBy(args, environ []string, c *console, b build, options ...kong.Option) (*commandLine, error) {
	line := new(commandLine)
	parser, exited, err := newParser(&line.grammar, c, b, options...)
	if err != nil {
		return nil, err
	}
	cfg := newConfigurer(parser, environ)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	selected, err := parser.Parse(withCommand(parser, args))
	switch {
	case *exited:
		return nil, nil //nolint:nilnil // all is said
	case err != nil:
		return nil, &usageError{err: inWords(err), command: commandOf(err)}
	}
	inForce := cfg.sources.InForce(selected)
	line.target = selected.Selected().Target.Addr().Interface().(command)
	line.name = selected.Selected().Name
	line.levelSet = inForce.Set("log", "level")
	if with, ok := line.target.(configured); ok {
		line.inForce, line.warnings, line.file, line.state = inForce, cfg.sources.Warnings, cfg.file, cfg.state
		if problems := cfg.check(with, inForce); len(problems) > 0 {
			return line, problems
		}
	}
	return line, nil
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

// inWords is an error of kong's in words for those who do not know how it reads a
// command line.
func inWords(err error) error {
	text := err.Error()
	if flag, _, ok := strings.Cut(text, ": expected "); ok && strings.HasSuffix(text, `but got "EOL" (<EOL>)`) {
		return fmt.Errorf("%s: its value is missing", flag)
	}
	if word, ok := strings.CutPrefix(text, "unexpected argument "); ok && commandOf(err) == "" {
		return fmt.Errorf("there is no command %s", word)
	}
	return err
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
