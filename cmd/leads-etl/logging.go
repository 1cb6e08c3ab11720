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

// newLogger returns the logger of the process. --quiet and --verbose win over
// the level.
func newLogger(w io.Writer, c logConfig, quiet, verbose bool) *slog.Logger {
	var level slog.Level
	// The level is one of the enum; all of them are slog's.
	_ = level.UnmarshalText([]byte(c.Level))
	switch {
	case quiet:
		level = max(level, slog.LevelWarn)
	case verbose:
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
