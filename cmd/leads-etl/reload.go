package main

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/pipeline"
)

// lookEvery is how often it is looked whether the configuration file has changed.
const lookEvery = 5 * time.Second

// reloadable are the settings that a stream takes up while it runs.
var reloadable = []string{"[stream] interval", "[stream] settle", "[stream] lookback", "[stream] drain-timeout", "[log] level"}

// reloader reads the configuration again when it is told to, or its file has
// changed, and puts in force what can be without a restart. It belongs to one
// goroutine.
type reloader struct {
	*process
	running interface{ Reconfigure(c pipeline.StreamConfig) }

	// inForce is the configuration that was read last without a problem, begun the
	// one that the stream began with.
	inForce, begun *config.InForce
	seen           fileState
	// told are the settings of which was said that they need a restart.
	told []string
}

// start watches the file and the SIGHUPs until the context or stop ends it. stop
// blocks until nothing is reloaded any more.
func (r *reloader) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.watch(ctx, r.hangups)
	}()
	return func() {
		cancel()
		<-done
	}
}

// watch blocks until the context ends.
func (r *reloader) watch(ctx context.Context, hangups <-chan os.Signal) {
	r.inForce, r.begun = r.line.inForce, r.line.inForce
	r.seen = r.line.state
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		asked := false
		select {
		case <-hangups:
			asked = true
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		now := stateOf(r.line.file)
		if !asked && now == r.seen {
			continue
		}
		r.seen = now // what changes while it is read is seen the next time
		r.reload(ctx, asked)
	}
}

// reload reads the configuration, and applies it if it is sound. asked says that
// somebody wants to hear of it.
func (r *reloader) reload(ctx context.Context, asked bool) {
	line, err := r.reread()
	if err != nil {
		for _, problem := range problemsOf(err) {
			r.log.ErrorContext(ctx, "the configuration was read again and has a problem: the old one stays in force", "problem", problem)
		}
		return
	}
	if line == nil {
		return // not with a command line that a stream was started with
	}
	var changed []string
	for _, setting := range r.inForce.Differences(line.inForce) {
		if slices.Contains(reloadable, setting) {
			changed = append(changed, setting)
		}
	}
	r.inForce = line.inForce
	if len(changed) > 0 {
		r.setLevel(&line.grammar, line.levelSet)
		r.running.Reconfigure(line.target.(streamer).streamConfig())
	}
	if asked || len(changed) > 0 {
		r.tellChanged(ctx, cmp.Or(strings.Join(changed, ", "), "nothing"))
	}
	r.tellRestart(ctx)
}

// tellChanged says what was put in force: in the log, or on a terminal without one.
func (r *reloader) tellChanged(ctx context.Context, what string) {
	r.log.InfoContext(ctx, "the configuration was read again", "changed", what)
	if r.live && !r.quiet && !r.log.Enabled(ctx, slog.LevelInfo) {
		r.notice("the configuration was read again, and changes: "+what, "")
	}
}

// tellRestart says once of each setting that it needs a restart.
func (r *reloader) tellRestart(ctx context.Context) {
	var waiting []string
	for _, setting := range r.begun.Differences(r.inForce) {
		if !slices.Contains(reloadable, setting) {
			waiting = append(waiting, setting)
		}
	}
	if news := slices.DeleteFunc(slices.Clone(waiting), func(s string) bool { return slices.Contains(r.told, s) }); len(news) > 0 {
		r.log.WarnContext(ctx, "the configuration has changed in what needs a restart", "settings", strings.Join(news, ", "))
	}
	r.told = waiting
}

// problemsOf are what is wrong with a configuration, one line each.
func problemsOf(err error) []string {
	problems, ok := err.(config.Problems)
	if !ok {
		return []string{err.Error()}
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return lines
}

// fileState tells whether a file has changed; the zero value is that of one that
// is not there.
type fileState struct {
	modified int64 // nanoseconds
	size     int64
}

func stateOf(path string) fileState {
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}
	}
	return fileState{info.ModTime().UnixNano(), info.Size()}
}
