package main

import (
	"io"
	"log/slog"
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

// newLogger returns a logger that follows the level.
func newLogger(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
