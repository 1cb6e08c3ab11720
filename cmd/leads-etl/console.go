package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/logging"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
)

// console is where a command talks to people: results go to out, everything
// else to err.
type console struct {
	out io.Writer
	err *progress.Screen
	// log is the logger of the process; it writes to err, what is at least as severe
	// as level, which may change.
	log   *slog.Logger
	level *slog.LevelVar
	// repeats holds warnings back that log was given again.
	repeats *logging.Repeats

	// live says that err is a terminal on which a line can be redrawn; color
	// that out is one that may be coloured; ascii that the locale knows no more.
	live, color, ascii bool
	quiet              bool
	width              func() int
}

// newConsole returns a console whose logger has the default settings, until
// configure says otherwise.
func newConsole(stdout, stderr *os.File, environ []string) *console {
	dumb := lookup(environ, "TERM") == "dumb"
	c := &console{
		out:   stdout,
		err:   progress.NewScreen(stderr),
		live:  term.IsTerminal(int(stderr.Fd())) && !dumb,
		color: term.IsTerminal(int(stdout.Fd())) && !dumb && lookup(environ, "NO_COLOR") == "",
		ascii: dumb || !unicodeLocale(environ),
		level: new(slog.LevelVar),
		width: func() int {
			width, _, err := term.GetSize(int(stderr.Fd()))
			if err != nil {
				return 80
			}
			return width
		},
	}
	if breaksLines(environ) {
		c.err.Width = c.width
	}
	c.log, c.repeats = newLogger(c.err, "text", c.level)
	return c
}

// breaksLines reports whether the terminal breaks lines that are there anew when it
// becomes narrower, as nearly all do, and tmux. xterm itself and the consoles of
// Linux and BSD cut them off: to go up there would erase what is above.
func breaksLines(environ []string) bool {
	return lookup(environ, "TMUX") != "" || lookup(environ, "XTERM_VERSION") == "" && !slices.Contains([]string{"", "dumb", "linux", "cons25", "vt100", "screen"}, lookup(environ, "TERM"))
}

// unicodeLocale reports whether the terminal is said to show UTF-8: the first
// of these variables that is set decides (POSIX).
func unicodeLocale(environ []string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToUpper(lookup(environ, name)); value != "" {
			return strings.Contains(value, "UTF-8") || strings.Contains(value, "UTF8")
		}
	}
	return false
}

// configure applies what the command line says about talking. levelSet says that
// the level of the log was asked for.
func (c *console) configure(g *grammar, levelSet bool) {
	c.quiet = g.Quiet
	c.setLevel(g, levelSet)
	c.repeats.Close()
	c.log, c.repeats = newLogger(c.err, g.Log.Format, c.level)
}

// setLevel puts the level of the log in force, for all loggers.
func (c *console) setLevel(g *grammar, set bool) {
	c.level.Set(severityOf(g, c.live, set)) // where progress is shown, it says the rest
}

// notice tells the user something that is no result and no error.
func (c *console) notice(text, hint string) {
	s := programName + ": " + text + "\n"
	if hint != "" {
		s += "  hint: " + hint + "\n"
	}
	// Nothing can be done if stderr is gone.
	_, _ = io.WriteString(c.err, s)
}

// say tells people at a terminal what is going on.
func (c *console) say(text string) { _, _ = io.WriteString(c.err, text+"\n") }

// report shows the progress of what is under way until stop is called.
func (c *console) report(ctx context.Context, poll func() progress.Snapshot) (stop func()) {
	if c.quiet {
		return func() {}
	}
	r := &progress.Reporter{Poll: poll, Screen: c.err, Width: c.width, Live: c.live, ASCII: c.ascii, Logger: c.log}
	return r.Start(ctx)
}

// finish shows the error that a command ended with and returns the exit code.
func (c *console) finish(err error) int {
	c.repeats.Close()
	c.err.Clear()
	show(c.err, err)
	return exitCode(err)
}

// Marks of a list, and their colours.
const (
	markGood = iota
	markBad
	markWarn
)

// mark returns the sign in front of a line of a list.
func (c *console) mark(kind int) string {
	signs := [...]string{"✓", "✗", "!"}
	if c.ascii {
		signs = [...]string{"ok", "NO", " !"}
	}
	if !c.color {
		return signs[kind]
	}
	return [...]string{"\x1b[32m", "\x1b[31m", "\x1b[33m"}[kind] + signs[kind] + "\x1b[0m"
}

// writeJSON writes one indented JSON document.
func writeJSON(w io.Writer, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", data)
	return err
}
