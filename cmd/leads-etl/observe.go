package main

import (
	"context"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/monitor"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/tracing"
)

// leaving is the [metrics] section of commands that leave word of how they ended.
type leaving struct {
	File monitor.FileConfig `embed:"" prefix:"metrics-" envprefix:"LEADS_ETL_METRICS_" group:"metrics"`
}

func (l *leaving) validate(report func(section, key, problem string)) {
	l.File.Validate(func(key, problem string) { report("metrics", key, problem) })
}

func (l *leaving) metricsFile() string { return l.File.File }

// watching is the [metrics] section of commands that can be watched as well.
type watching struct {
	Server  monitor.ServerConfig `embed:"" prefix:"metrics-" envprefix:"LEADS_ETL_METRICS_" group:"metrics"`
	leaving `embed:""`
}

func (w *watching) validate(report func(section, key, problem string)) {
	w.Server.Validate(func(key, problem string) { report("metrics", key, problem) })
	w.leaving.validate(report)
}

func (w *watching) metricsServer() monitor.ServerConfig { return w.Server }

// observe runs the command, lets others look on if it can be watched, and leaves
// word of how it ended.
func (p *process) observe(ctx context.Context) error {
	begun := time.Now()
	err := p.watched(ctx)
	p.leaveWord(ctx, begun, err)
	return err
}

func (p *process) watched(ctx context.Context) error {
	p.monitor = p.newMonitor()
	if w, ok := p.line.target.(interface{ metricsServer() monitor.ServerConfig }); ok {
		stop, err := p.monitor.Serve(ctx, w.metricsServer(), p.log)
		if err != nil {
			return err
		}
		defer stop()
	}
	if err := p.trace(ctx); err != nil {
		return err
	}
	defer p.tracer.Stop()
	return p.line.target.Run(ctx, p)
}

// trace starts the traces of a command that works for an account, if the
// environment asks for them.
func (p *process) trace(ctx context.Context) (err error) {
	of, ok := p.line.target.(interface {
		subject() (account, marketplace string)
	})
	if !ok {
		return nil
	}
	asked, problem := tracing.Asked(func(name string) string { return lookup(p.environ, name) })
	if problem != nil {
		p.log.WarnContext(ctx, "there are no traces", "error", problem)
	}
	if !asked {
		return nil
	}
	account, marketplace := of.subject()
	p.tracer, err = tracing.Start(ctx, tracing.Subject{Version: p.build.Version, Account: account, Marketplace: marketplace}, p.log)
	return err
}

// newMonitor returns the monitor of the command, nil if it does not work for an
// account.
func (p *process) newMonitor() *monitor.Monitor {
	of, ok := p.line.target.(interface {
		subject() (account, marketplace string)
	})
	if !ok {
		return nil
	}
	account, marketplace := of.subject()
	return monitor.New(monitor.Build{Version: p.build.Version, Commit: p.build.Commit, Go: p.build.Go}, account, marketplace)
}

// subject is whose leads it is about.
func (s *settings) subject() (account, marketplace string) { return s.EBay.Account, s.EBay.Marketplace }

// leaveWord writes the metrics file, if there is to be one. A file that cannot be
// written changes nothing about the run: it is told, and grows old.
func (p *process) leaveWord(ctx context.Context, begun time.Time, err error) {
	l, ok := p.line.target.(interface{ metricsFile() string })
	if !ok || l.metricsFile() == "" {
		return
	}
	if p.monitor == nil {
		p.monitor = p.newMonitor()
	}
	run := monitor.Run{Command: p.line.name, Begun: begun, Ended: time.Now(), ExitCode: exitCode(err)}
	if s, ok := p.line.target.(streamer); ok {
		run.Command, run.Only = modeBatch, s.streams()
		if run.Only {
			run.Command = modeStream
		}
	}
	damaged, err := p.monitor.WriteFile(l.metricsFile(), run)
	if damaged != nil {
		p.log.WarnContext(ctx, "the metrics of earlier runs cannot be read, and begin anew", "file", l.metricsFile(), "error", damaged)
	}
	if err != nil {
		p.log.ErrorContext(ctx, "the metrics file could not be written", "file", l.metricsFile(), "error", err)
	}
}

// watch lets the monitor look at the run, of which fill tells what runs.
func (a *assembly) watch(p *process, fill func(*monitor.Snapshot)) {
	p.monitor.Watch(func() monitor.Snapshot {
		s := monitor.Snapshot{
			Journal: monitor.Journal{Bytes: a.Journal.Bytes(), Records: uint64(a.Journal.End()), Pages: len(a.Journal.Pages())},
			Tally:   a.Reader.Tally(),
		}
		if a.client != nil {
			api := &monitor.API{Stats: a.client.Stats()}
			api.Used, api.Limit, api.Reset = a.client.Quota()
			api.Skew, api.SkewKnown = a.client.Skew()
			s.API = api
		}
		fill(&s)
		return s
	})
}
