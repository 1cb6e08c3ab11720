package main

import (
	"context"
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/monitor"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline"
)

// streamSettings are the [stream] section.
type streamSettings struct {
	Stream  pipeline.StreamConfig `embed:"" prefix:"stream-" envprefix:"LEADS_ETL_STREAM_" group:"stream"`
	History historyConfig         `embed:"" prefix:"stream-" envprefix:"LEADS_ETL_STREAM_" group:"stream"`
}

// historyConfig is the part of the section that a stream goes by once, when it
// begins.
type historyConfig struct {
	From config.Time `name:"from" env:"FROM" placeholder:"TIME" help:"Bring in what was submitted since then too, on the side: a date, or RFC 3339."`
}

func (s *streamSettings) validateStream(report func(section, key, problem string)) {
	s.Stream.Validate(func(key, problem string) { report("stream", key, problem) })
	if from := s.History.From; from.After(time.Now()) {
		report("stream", "from", config.FormatTime(from.Time)+" lies in the future")
	}
}

// streamConfig is for whoever has a command and does not know which.
func (s *streamSettings) streamConfig() pipeline.StreamConfig { return s.Stream }

// streamer is a command that may be a stream: it is then not broken off by the
// first signal, but comes to its end.
type streamer interface {
	streams() bool
	streamConfig() pipeline.StreamConfig
}

type streamCommand struct {
	streamSettings `embed:""`
	settings       `embed:""`
	watching       `embed:""`
	JSON           bool `name:"json" help:"The summary as JSON."`
}

func (c *streamCommand) Help() string {
	return `Examples:

    leads-etl stream --kafka-brokers localhost:9092
    leads-etl stream --from 2026-01-01 --interval 5m --lookback 14d --parquet-dir out

It goes on where it was, polls every interval, and never ends by itself: a quota that is spent and an API that is away are waited out. SIGTERM or Ctrl-C ends it when all that is landed is delivered; a second one ends it at once, and nothing is lost either. On SIGHUP, and when the configuration file has changed, the configuration is read again; [stream] interval, settle, lookback and drain-timeout and [log] level are put in force without a restart.`
}

func (c *streamCommand) validate(report func(section, key, problem string)) {
	c.settings.validate(report)
	c.watching.validate(report)
	c.validateStream(report)
}

func (c *streamCommand) demands() []demand { return c.sinkDemands() }

func (c *streamCommand) streams() bool { return true }

func (c *streamCommand) Run(ctx context.Context, p *process) error {
	return runStream(ctx, p, &c.settings, &c.streamSettings, c.JSON)
}

// runStream polls on until p.stop is closed, and writes a summary then.
func runStream(ctx context.Context, p *process, s *settings, c *streamSettings, asJSON bool) error {
	a, err := s.assemble(ctx, p)
	if err != nil {
		return err
	}
	if err := a.openKnown(ctx, s); err != nil {
		return a.close(err)
	}
	if err := a.connect(s, p, 0); err != nil {
		return a.close(err)
	}
	a.deliverTo(s, s.sinks(streamOutputs))
	fed := a.survey.outputs()
	fed.events = true
	a.observe(s, fed)
	summary, err := a.stream(ctx, p, s, c)
	if summary == nil {
		return a.close(err)
	}
	err = a.close(err)
	return joinWrite(err, summary.write(p, asJSON, err))
}

// stream runs the stream under the eyes of the user. The summary is nil if it did
// not begin.
func (a *assembly) stream(ctx context.Context, p *process, s *settings, c *streamSettings) (*summary, error) {
	stream, err := pipeline.NewStream(ctx, a.Stages, c.Stream, s.EBay.Queries(), c.History.From.Time)
	if err != nil {
		return nil, err
	}
	a.announceStream(p, s, c)
	a.watch(p, func(s *monitor.Snapshot) { s.Stream = new(stream.Progress()) })
	begun := time.Now()
	ended := make(chan struct{})
	said := p.announceStop(ended)
	r := &reloader{process: p, running: stream}
	reloading := r.start(ctx)
	stopProgress := func() {}
	if p.live { // elsewhere the stream logs its polls
		stopProgress = p.report(ctx, func() progress.Snapshot { return streamSnapshot(stream.Progress(), time.Now()) })
	}
	err = stream.Run(ctx, p.stop)
	stopProgress()
	reloading()
	close(ended)
	<-said
	return newStreamSummary(stream.Progress(), time.Since(begun), a), err
}

// announceStream says what the stream is about to do.
func (a *assembly) announceStream(p *process, s *settings, c *streamSettings) {
	_, limit, _ := a.client.Quota()
	plan := c.Stream.Schedule(limit, a.survey.forecast.Windows(s.EBay.Queries(), s.Fetch.Window))
	from := "now less " + config.FormatDuration(c.Stream.Lookback)
	for _, b := range a.survey.open(true) {
		st := streamStatusOf(b, a.survey.polled)
		if st.Watermark != nil {
			from = st.Watermark.Format(time.RFC3339)
		}
	}
	attrs := []any{
		"account", s.EBay.Account, "marketplace", s.EBay.Marketplace, "from", from,
		"schedule", plan.String(),
	}
	if from := c.History.From; !from.IsZero() {
		attrs = append(attrs, "history_from", from.Format(time.RFC3339))
	}
	p.log.Info("stream", attrs...)
	if p.live && !p.quiet {
		p.say(fmt.Sprintf("streaming %s on %s, from %s; Ctrl-C ends it", s.EBay.Account, s.EBay.Marketplace, from))
	}
}

// announceStop tells the user that a stream comes to its end, if it was told to
// before ended is closed. What it returns is closed when it will say no more.
func (p *process) announceStop(ended <-chan struct{}) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-p.stop:
			p.notice("stopping: what is landed is being delivered", "interrupt again to end at once; nothing is lost")
		case <-ended:
		}
	}()
	return done
}

// streamSnapshot is the stream's progress as it is shown.
func streamSnapshot(s pipeline.StreamProgress, now time.Time) progress.Snapshot {
	phase := string(s.Phase)
	if phase == "" {
		phase = "starting"
	}
	var facts []string
	if wait := s.Until.Sub(now); !s.Until.IsZero() {
		switch {
		case wait > time.Hour:
			facts = append(facts, "until "+s.Until.UTC().Format("15:04Z"))
		case wait > -time.Second:
			facts = append(facts, "in "+progress.Clock(wait))
		default: // it began then
			facts = append(facts, "for "+progress.Clock(-wait))
		}
	}
	facts = append(facts, progress.Plural(s.Polls, "poll"), progress.Plural(s.Leads, "lead")+" read")
	if !s.Watermark.IsZero() {
		facts = append(facts, fmt.Sprintf("up to %s, %s ago", s.Watermark.UTC().Format("15:04:05Z"), progress.Clock(now.Sub(s.Watermark))))
	}
	for _, sink := range s.Sinks {
		facts = append(facts, fmt.Sprintf("%s %s", sink.Sink, progress.Plural(sink.Rows, "row")))
		if sink.Retries > 0 {
			facts[len(facts)-1] += fmt.Sprintf(" (%s)", progress.Plural(sink.Retries, "retry"))
		}
	}
	if s.Gaps > 0 {
		facts = append(facts, progress.Plural(s.Gaps, "gap"))
	}
	return progress.Snapshot{Phase: phase, Facts: facts}
}
