package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/sinks/kafka"
	"github.com/leads-etl/leads-etl/sinks/ndjson"
	"github.com/leads-etl/leads-etl/sinks/parquet"
	"github.com/leads-etl/leads-etl/source"
)

// envPrefix begins the environment variables of all settings.
const envPrefix = "LEADS_ETL_"

// settings is the configuration, section by section, as commands embed it. What
// the keys are is up to the packages that go by them.
type settings struct {
	EBay  source.Config `embed:"" prefix:"ebay-" envprefix:"LEADS_ETL_EBAY_" group:"ebay"`
	Fetch fetch.Config  `embed:"" prefix:"fetch-" envprefix:"LEADS_ETL_FETCH_" group:"fetch"`
	Limit source.Limits `embed:"" prefix:"fetch-" envprefix:"LEADS_ETL_FETCH_" group:"fetch"`
	State stateConfig   `embed:"" prefix:"state-" envprefix:"LEADS_ETL_STATE_" group:"state"`

	Parquet parquet.Config `embed:"" prefix:"parquet-" envprefix:"LEADS_ETL_PARQUET_" group:"parquet"`
	NDJSON  ndjson.Config  `embed:"" prefix:"ndjson-" envprefix:"LEADS_ETL_NDJSON_" group:"ndjson"`
	Kafka   kafka.Config   `embed:"" prefix:"kafka-" envprefix:"LEADS_ETL_KAFKA_" group:"kafka"`
}

// sectionGroups title the sections in the help.
var sectionGroups = []kong.Group{
	{Key: "ebay", Title: "ebay: whom to ask, as whom, for what", Description: "Secrets are taken from LEADS_ETL_EBAY_CLIENT_SECRET and LEADS_ETL_EBAY_REFRESH_TOKEN, or from files."},
	{Key: "batch", Title: "batch: which range"},
	{Key: "stream", Title: "stream: how to poll on"},
	{Key: "fetch", Title: "fetch: how to call the API"},
	{Key: "state", Title: "state: where progress is kept"},
	{Key: "ndjson", Title: "ndjson: files of JSON lines; on if dir is set"},
	{Key: "parquet", Title: "parquet: Parquet files; on if dir is set"},
	{Key: "kafka", Title: "kafka: a topic; on if brokers is set", Description: "The password is taken from LEADS_ETL_KAFKA_SASL_PASSWORD, or from a file."},
	{Key: "metrics", Title: "metrics: how others see what a run is doing"},
	{Key: "log", Title: "log: what is logged"},
}

// shortNames are flags that are typed by hand, and so have a name without their
// section; the long one remains.
var shortNames = map[string]string{
	"ebay-items": "item", "ebay-status": "status",
	"stream-interval": "interval", "stream-settle": "settle", "stream-lookback": "lookback", "stream-drain-timeout": "drain-timeout",
	"stream-from":    "from", // not where that is the range's
	"metrics-listen": "listen", "metrics-pprof": "pprof",
}

func shortenFlags(node *kong.Node) {
	taken := func(name string) bool {
		return slices.ContainsFunc(node.Flags, func(f *kong.Flag) bool { return f.Name == name })
	}
	for _, flag := range node.Flags {
		if short, ok := shortNames[flag.Name]; ok && !taken(short) {
			flag.Aliases = append(flag.Aliases, flag.Name)
			flag.Name = short
		}
	}
	for _, child := range node.Children {
		shortenFlags(child)
	}
}

// rangeConfig is the [batch] section.
type rangeConfig struct {
	From config.Time   `name:"from" env:"FROM" placeholder:"TIME" help:"Begin of the range: a date, or RFC 3339."`
	To   config.Time   `name:"to" env:"TO" placeholder:"TIME" help:"End of the range, not included; now if absent."`
	Last time.Duration `name:"last" env:"LAST" default:"0s" placeholder:"DURATION" help:"The range up to now, such as 30d or 12h, in the place of from and to."`
}

// Validate reports contradictions.
func (c *rangeConfig) Validate(report func(key, problem string)) {
	if c.Last < 0 {
		report("last", fmt.Sprintf("%s is negative", config.FormatDuration(c.Last)))
	}
	if c.Last > 0 && !c.From.IsZero() {
		report("last", "contradicts from: give one of them")
	}
	if c.Last > 0 && !c.To.IsZero() {
		report("last", "contradicts to: it always ends now")
	}
	if !c.To.IsZero() && !c.From.IsZero() && !c.From.Before(c.To.Time) {
		report("to", fmt.Sprintf("%s does not lie after from, %s: a range goes from the earlier time to the later", config.FormatTime(c.To.Time), config.FormatTime(c.From.Time)))
	}
	if !c.To.IsZero() && c.From.IsZero() && c.Last == 0 {
		report("from", "missing: to is set, but not where the range begins")
	}
}

// stateConfig is the [state] section.
type stateConfig struct {
	Dir  string        `name:"dir" env:"DIR" default:"./leads-state" placeholder:"DIR" help:"Folder of the journal, the token and the quota's count."`
	Keep time.Duration `name:"keep" env:"KEEP" default:"0s" placeholder:"DURATION" help:"How long pages are kept that every sink has; 0s for ever. What is known of each lead stays."`
}

// leastKeep is how long pages are kept at least: what a stream has read for less
// time than that it would read again.
var leastKeep = 24 * time.Hour

// segmentsOfKeep is how many files of the journal there are at least for the time
// that it is kept: it is pruned file by file.
const segmentsOfKeep = 8

// Validate reports what cannot be a folder.
func (c *stateConfig) Validate(report func(key, problem string)) {
	if c.Dir == "" {
		report("dir", "is empty: progress has to be kept somewhere")
	}
	if c.Keep != 0 && c.Keep < leastKeep {
		report("keep", fmt.Sprintf("%s is less than %s; 0s keeps everything", config.FormatDuration(c.Keep), config.FormatDuration(leastKeep)))
	}
}

// validate reports every problem of every section, to the section's name and
// key.
func (s *settings) validate(report func(section, key, problem string)) {
	s.validateFor(true, report)
}

// validateFor leaves the login out for commands that do not call the API.
func (s *settings) validateFor(api bool, report func(section, key, problem string)) {
	of := func(section string) func(key, problem string) {
		return func(key, problem string) { report(section, key, problem) }
	}
	s.EBay.Validate(of("ebay"))
	if api {
		s.EBay.ValidateLogin(of("ebay"))
	}
	s.Fetch.Validate(of("fetch"))
	s.Limit.Validate(of("fetch"))
	s.State.Validate(of("state"))
	s.Parquet.Validate(of("parquet"))
	s.NDJSON.Validate(of("ndjson"))
	s.Kafka.Validate(of("kafka"))
}
