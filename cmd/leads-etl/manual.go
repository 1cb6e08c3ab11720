package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/guide"
)

type manCommand struct{}

func (c *manCommand) Help() string {
	return `Examples:

    leads-etl man | man -l -
    leads-etl man > /usr/local/share/man/man1/leads-etl.1`
}

func (c *manCommand) Run(_ context.Context, p *process) error {
	parser, err := p.parser()
	if err != nil {
		return err
	}
	date, _, _ := strings.Cut(p.build.Time, "T")
	if date == "" { // not built from a repository
		date = time.Now().UTC().Format(time.DateOnly)
	}
	return guide.Man(p.out, parser.Model, guide.Page{
		Description: description, Source: programName + " " + p.build.Version, Date: date, Sections: manSections(),
	}, valuesOf)
}

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command to tell about."`
}

func (c *helpCommand) Help() string {
	return `Examples:

    leads-etl help
    leads-etl help batch

The same as --help after the command.`
}

func (c *helpCommand) Run(_ context.Context, p *process) error {
	parser, err := p.parser()
	if err != nil {
		return err
	}
	node := parser.Model.Node
	for _, name := range c.Command {
		below := slices.IndexFunc(node.Children, nodeNamed(name))
		if below < 0 {
			return &usageError{err: fmt.Errorf("help: there is no command %s", strings.Join(c.Command, " "))}
		}
		node = node.Children[below]
	}
	_, err = parser.Parse(append(slices.Clone(c.Command), "--help"))
	return err
}

func nodeNamed(name string) func(*kong.Node) bool {
	return func(n *kong.Node) bool { return n.Name == name }
}

// exitMeanings says what the exit codes mean, for the manual page.
var exitMeanings = []struct {
	code int
	text string
}{
	{exitDone, "Done. A stream was ended by SIGTERM or SIGINT, and all that was landed is delivered."},
	{exitUnexpected, "Unexpected: the machine, the journal, an API that cannot be reached. What was landed is kept."},
	{exitUsage, "The command line or the configuration is wrong."},
	{exitRefused, "The API refused the login or the request."},
	{exitIncomplete, "Done but for gaps, or the daily quota is spent: run the same command again."},
	{exitSink, "A sink failed, or was behind when its time was over. The others are complete, and replay brings it up to date."},
	{exitInterrupted, "Interrupted; the same command resumes."},
}

func manSections() []guide.Section {
	var codes []guide.Term
	for _, m := range exitMeanings {
		codes = append(codes, guide.Term{Name: strconv.Itoa(m.code), Text: m.text})
	}
	return []guide.Section{
		{Title: "Exit status", Text: "What cron, systemd and schedulers go by:", Terms: codes},
		{Title: "Environment", Text: "Every setting has a variable, which is named with it. Secrets are taken from the environment or from files only:", Terms: []guide.Term{
			{Name: "LEADS_ETL_EBAY_CLIENT_SECRET", Text: "The application's client secret (Cert ID)."},
			{Name: "LEADS_ETL_EBAY_REFRESH_TOKEN", Text: "The seller's refresh token, for the refresh-token grant."},
			{Name: "LEADS_ETL_KAFKA_SASL_PASSWORD", Text: "The password for SASL."},
			{Name: "NO_COLOR", Text: "If set, nothing is coloured."},
			{Name: "HTTPS_PROXY, NO_PROXY", Text: "The proxy to the API, and what goes without it."},
		}},
		{Title: "Files", Terms: []guide.Term{
			{Name: defaultFile, Text: "The configuration, if it is in the working folder and --config names no other. '" + programName + " init' writes one."},
			{Name: "leads-state/", Text: "The journal of what was landed, the token, and the count of calls; [state] dir names another folder."},
		}},
		{Title: "See also", Text: "https://github.com/leads-etl/leads-etl"},
	}
}
