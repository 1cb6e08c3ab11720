package main

import (
	"io"
	"log/slog"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/logging"
)

// logConfig is the [log] section.
type logConfig struct {
	Level  string `name:"level" env:"LEVEL" default:"info" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"Least severe messages to log: debug, info, warn or error. On a terminal, where progress is shown, it is warn unless set."`
	Format string `name:"format" env:"FORMAT" default:"text" enum:"text,json" placeholder:"FORMAT" help:"Form of the log: text or json."`
}

// severityOf is the least severe level to log. --quiet and --verbose win over the
// configured one. progress says that progress is shown, and set that the level
// was asked for.
func severityOf(g *grammar, progress, set bool) slog.Level {
	level := slog.LevelWarn
	if set || !progress {
		// The level is one of the enum; all of them are slog's.
		_ = level.UnmarshalText([]byte(g.Log.Level))
	}
	switch {
	case g.Quiet:
		return max(level, slog.LevelWarn)
	case g.Verbose:
		return slog.LevelDebug
	}
	return level
}

// newLogger returns a logger that follows the level. What it holds back is told
// when repeats is closed.
func newLogger(w io.Writer, format string, level slog.Leveler) (logger *slog.Logger, repeats *logging.Repeats) {
	options := &slog.HandlerOptions{Level: level}
	var out slog.Handler = slog.NewTextHandler(w, options)
	if format == "json" {
		out = slog.NewJSONHandler(w, options)
	}
	repeats = logging.NewRepeats(logging.RequestIDs{Handler: out})
	return slog.New(repeats), repeats
}
