package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/files"
	"github.com/leads-etl/leads-etl/sinks/kafka"
	"github.com/leads-etl/leads-etl/source"
)

type checkCommand struct {
	modeSettings `embed:""`
	Offline      bool `name:"offline" help:"Only the configuration and the schema: nothing is reached, no secret is needed."`
	JSON         bool `name:"json" help:"The list as JSON."`

	// absent are parts of the login that are not set here, and need not be offline.
	absent []string
}

func (c *checkCommand) Help() string {
	return `Examples:

    leads-etl check
    leads-etl check --offline
    leads-etl check --json | jq -r '.checks[] | select(.ok | not) | .what'

Nothing is exported, and nothing written but the token and the count of calls, which the next run goes on with. One call of the API counts for the quota.`
}

// finding is one line of the list.
type finding struct {
	What    string   `json:"what"`
	OK      bool     `json:"ok"`
	Warning bool     `json:"warning,omitempty"`
	Detail  string   `json:"detail"`
	Lines   []string `json:"lines,omitempty"`
	Hints   []string `json:"hints,omitempty"`
	err     error
}

// tooSkewed is a difference of clocks that is worth telling: the API refuses
// ranges that end in its future.
const tooSkewed = 30 * time.Second

func (c *checkCommand) Run(ctx context.Context, p *process) error {
	var findings []finding
	found := func(f finding) {
		findings = append(findings, f)
		if !c.JSON {
			f.print(p)
		}
	}
	if c.Offline {
		c.checkOffline(found)
		return c.result(p, findings)
	}
	found(finding{What: "configuration", OK: true, Detail: "is complete and free of contradictions"})
	found(conclude("state", files.Check(ctx, files.DefaultOptions(c.State.Dir)), c.State.Dir+" can be written"))
	seen, err := c.surveyIfThere(ctx, p)
	if err != nil {
		found(conclude("journal", err, ""))
		seen = &survey{}
	}
	c.checkDisk(seen, found)
	c.checkAPI(ctx, p, found)
	if c.Mode == modeStream || p.line.inForce.SetAny("stream") {
		found(c.checkSchedule(ctx, p))
	}
	binding := deliver.Binding{Account: c.EBay.Account, Marketplace: c.EBay.Marketplace}
	for _, sink := range c.sinks(batchOutputs) {
		for _, f := range sink.check(ctx, binding) {
			found(f)
		}
	}
	if len(c.sinks(batchOutputs)) == 0 {
		found(c.noSink())
	}
	return c.result(p, findings)
}

func (c *checkCommand) noSink() finding {
	return finding{What: "sinks", Detail: "no sink is on", Hints: []string{c.sinkDemands()[0].Hint}, err: &usageError{err: errors.New("no sink is on"), command: "check"}}
}

// result ends the list: the exit code is that of the worst finding, which was
// already shown.
func (c *checkCommand) result(p *process, findings []finding) error {
	var errs []error
	for _, f := range findings {
		if f.err != nil {
			errs = append(errs, f.err)
		}
	}
	var err error
	if len(errs) > 0 {
		all := errors.Join(errs...)
		err = &toldError{all, exitCode(all)}
	}
	if !c.JSON {
		return err
	}
	return joinWrite(err, writeJSON(p.out, map[string]any{"checks": findings, "exit_code": exitCode(err)}))
}

// folderCheck makes a finding of the check of a sink that writes files.
func folderCheck[C any](name string, c C, check func(context.Context, C) error) func(context.Context, deliver.Binding) []finding {
	return func(ctx context.Context, _ deliver.Binding) []finding {
		begun := time.Now()
		err := check(ctx, c)
		if err == nil {
			return []finding{conclude(name, nil, fmt.Sprintf("the folder can be written (%s)", since(begun)))}
		}
		f := conclude(name, &toldError{err, exitSink}, "")
		// The first of what went wrong is why; what helps stands at its end.
		f.Detail, _, _ = strings.Cut(f.Detail, "\n")
		if end := strings.LastIndex(f.Detail, "; "); end >= 0 {
			f.Detail, f.Hints = f.Detail[:end], []string{f.Detail[end+2:]}
		}
		return []finding{f}
	}
}

// kafkaCheck makes findings of what the check of the topics found.
func kafkaCheck(ctx context.Context, c kafka.Config, b deliver.Binding) []finding {
	findings, reached := reachBrokers(ctx, c)
	if !reached {
		return findings
	}
	for _, k := range kafka.Check(ctx, c, b) {
		f := finding{What: "kafka", OK: k.OK, Detail: k.What + ": " + k.Detail}
		if !k.OK {
			f.err = &toldError{errors.New(f.Detail), exitSink}
			f.Hints = []string{k.Hint}
		}
		findings = append(findings, f)
	}
	return findings
}

// conclude makes a finding of how a check ended.
func conclude(what string, err error, good string) finding {
	if err == nil {
		return finding{What: what, OK: true, Detail: good}
	}
	f := finding{What: what, Detail: err.Error(), err: err}
	if _, told := errors.AsType[*toldError](err); !told {
		failure := classify(err)
		f.Detail, f.Hints = failure.text, failure.hints
	}
	return f
}

func (f finding) print(p *process) {
	mark := markBad
	switch {
	case f.OK && f.Warning:
		mark = markWarn
	case f.OK:
		mark = markGood
	}
	fmt.Fprintf(p.out, "%s %-14s %s\n", p.mark(mark), f.What, f.Detail)
	for _, line := range f.Lines {
		fmt.Fprintf(p.out, "  %-14s %s\n", "", line)
	}
	for _, h := range f.Hints {
		if h != "" {
			fmt.Fprintf(p.out, "  %-14s hint: %s\n", "", h)
		}
	}
}

// checkAPI logs in, makes one call, and compares the clocks.
func (c *checkCommand) checkAPI(ctx context.Context, p *process, found func(finding)) {
	client, err := source.New(c.EBay, c.Limit, source.Options{StateDir: c.State.Dir, Logger: p.log, Version: p.build.Version})
	if err != nil {
		found(conclude("login", err, ""))
		return
	}
	defer client.Close()
	if c.checkReach(ctx, found) {
		begun := time.Now()
		_, token := c.EBay.Endpoints()
		err = client.Login(ctx)
		found(conclude("login", err, fmt.Sprintf("%s gave a token (%s)", token, since(begun))))
		if err == nil {
			begun = time.Now()
			api, _ := c.EBay.Endpoints()
			found(conclude("API", client.Check(ctx), fmt.Sprintf("%s let us in and answered (%s)", api, since(begun))))
		}
	}
	if skew, known := client.Skew(); known {
		found(clockFinding(skew))
	}
	used, limit, reset := client.Quota()
	quota := finding{What: "quota", OK: used < limit,
		Detail: fmt.Sprintf("%s of %s calls left until %s", humanize.Comma(int64(max(0, limit-used))), humanize.Comma(int64(limit)), reset.UTC().Format(time.RFC3339))}
	if !quota.OK {
		quota.Hints = []string{"wait until then; if eBay allows more calls, set [fetch] daily-quota"}
		quota.err = &toldError{errors.New(quota.Detail), exitIncomplete}
	}
	found(quota)
}

func clockFinding(skew time.Duration) finding {
	f := finding{What: "clock", OK: skew.Abs() < tooSkewed, Detail: "agrees with the API's"}
	if f.OK {
		return f
	}
	ahead := "behind"
	if skew < 0 {
		ahead = "ahead of"
	}
	f.Detail = fmt.Sprintf("is %s %s the API's", skew.Abs().Round(time.Second), ahead)
	f.Hints = []string{"set this machine's clock, for example with NTP: --last and the quota's day go by it"}
	f.err = &toldError{errors.New(f.Detail), exitUnexpected}
	return f
}

// since is how long something took, for people.
func since(begun time.Time) string { return time.Since(begun).Round(time.Millisecond).String() }
