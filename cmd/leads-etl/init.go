package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
)

type initCommand struct {
	// A field with a name: what is asked for is no configuration to go by.
	Settings modeSettings `embed:""`
	Defaults bool         `name:"defaults" help:"Ask nothing: take what flags and environment say, and defaults for the rest."`
	Force    bool         `name:"force" help:"Replace the file, if it is there."`
}

func (c *initCommand) Help() string {
	return `Examples:

    leads-etl init
    leads-etl init --ebay-account my-shop --ebay-marketplace EBAY_DE --parquet-dir leads/parquet --last 90d
    leads-etl init --config shop.toml --mode stream --ebay-marketplace EBAY_DE --kafka-brokers localhost:9092

On a terminal it asks for what matters, and checks each answer at once; elsewhere flags and environment say it. The file is leads-etl.toml, or what --config names. Secrets are neither asked for nor written: it says where they go.`
}

func (c *initCommand) Run(ctx context.Context, p *process) error {
	path := p.line.grammar.Config
	if path == "" {
		path = defaultFile
	}
	if _, err := os.Lstat(path); err == nil && !c.Force {
		return &usageError{err: fmt.Errorf("init: %s is there already: --force replaces it, --config names another", path), command: "init"}
	}
	if !c.Defaults && term.IsTerminal(int(os.Stdin.Fd())) {
		answered := make(chan error, 1)
		go func() { answered <- newInterview(&c.Settings, os.Stdin, p.err).ask() }()
		select {
		case err := <-answered:
			if err != nil {
				return err
			}
		case <-ctx.Done(): // reading a terminal cannot be broken off
			p.say("\nNothing is written.")
			return &toldError{ctx.Err(), exitInterrupted}
		}
	}
	if problems := c.problems(); len(problems) > 0 {
		return problems
	}
	text, err := c.file()
	if err != nil {
		return err
	}
	if err := writeNew(path, text, c.Force); err != nil {
		return err
	}
	_, err = fmt.Fprint(p.out, c.next(path))
	return err
}

// problems are those of the file to be, but for what is set where the program
// runs.
func (c *initCommand) problems() config.Problems {
	var problems config.Problems
	c.Settings.validate(func(section, key, text string) {
		if setWhereItRuns(key, text) {
			return
		}
		problem := config.Problem{Key: "[" + section + "] " + key, Text: text}
		if section == "ebay" && key == "marketplace" {
			problem.Hint = "set it with --ebay-marketplace"
		}
		problems = append(problems, problem)
	})
	for _, d := range c.Settings.sinkDemands() {
		d.Hint = "give --parquet-dir, --ndjson-dir or --kafka-brokers"
		problems = append(problems, d.Problem)
	}
	return problems
}

// file is the configuration.
func (c *initCommand) file() ([]byte, error) {
	parser, err := kong.New(&c.Settings, kong.Name(programName), kong.ExplicitGroups(sectionGroups), config.Mappers())
	if err != nil {
		return nil, fmt.Errorf("building the settings: %w", err)
	}
	sections := []string{"ebay", c.Settings.Mode, "state"}
	for _, kind := range sinkKinds {
		if on := map[string]bool{"parquet": c.Settings.Parquet.On(), "ndjson": c.Settings.NDJSON.On(), "kafka": c.Settings.Kafka.On()}; on[kind] {
			sections = append(sections, kind)
		}
	}
	t := config.Template{
		Head: "The configuration of leads-etl. What is commented out has its default; 'leads-etl help run' has all settings.\n" +
			"Try it with 'leads-etl check'. A variable of the environment or a flag wins over this file.\n",
		Sections: []config.TemplateSection{{}},
		Keep: func(section, key string) bool {
			return section == "" || section == "ebay" && (key == "environment" || key == "account" || key == "marketplace") ||
				section == "state" || section == "kafka" && key == "topic"
		},
	}
	for _, name := range sections {
		for _, g := range sectionGroups {
			if g.Key == name {
				_, title, _ := strings.Cut(g.Title, ": ")
				t.Sections = append(t.Sections, config.TemplateSection{Name: name, Title: strings.ToUpper(title[:1]) + title[1:]})
			}
		}
	}
	var b bytes.Buffer
	if err := t.Write(&b, config.New(parser.Model, envPrefix)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// writeNew writes the file whole: nobody reads half a configuration. Only force
// replaces what is there.
func writeNew(path string, text []byte, force bool) (err error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	target := path
	if force {
		target = path + ".new"
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(target, flags, 0o644) //nolint:gosec // it holds no secret, and services run as users of their own
	if errors.Is(err, fs.ErrExist) {
		return &usageError{err: fmt.Errorf("init: %s is there already: --force replaces it", path), command: "init"}
	}
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil && force {
		err = os.Rename(target, path)
	}
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", errors.Join(err, os.Remove(target)))
	}
	return nil
}

// next says what to do next.
func (c *initCommand) next(path string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is written. Next:\n\n", path)
	s := &c.Settings
	if s.EBay.ClientID == "" {
		b.WriteString("  export LEADS_ETL_EBAY_CLIENT_ID=...         # the App ID of your application's keys\n")
	}
	if s.EBay.ClientSecretFile == "" {
		b.WriteString("  export LEADS_ETL_EBAY_CLIENT_SECRET=...     # the Cert ID; or name a file that holds it: [ebay] client-secret-file\n")
	}
	if s.EBay.Grant == "refresh-token" && s.EBay.RefreshTokenFile == "" {
		b.WriteString("  export LEADS_ETL_EBAY_REFRESH_TOKEN=...     # the seller's; or [ebay] refresh-token-file\n")
	}
	if s.Kafka.SASLMechanism != "" && s.Kafka.SASLPasswordFile == "" {
		b.WriteString("  export LEADS_ETL_KAFKA_SASL_PASSWORD=...    # or [kafka] sasl-password-file\n")
	}
	with := ""
	if path != defaultFile {
		with = " --config " + path
	}
	fmt.Fprintf(&b, "  leads-etl check%s\n", with)
	switch {
	case s.Mode == modeBatch && len(s.Range.demands()) > 0:
		fmt.Fprintf(&b, "  leads-etl batch --last 30d%s\n", with)
	default:
		fmt.Fprintf(&b, "  leads-etl run%s\n", with)
	}
	return b.String()
}
