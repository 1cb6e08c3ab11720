package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// Whose leads these are.
const (
	account      = "bench"
	marketplace  = "EBAY_DE"
	clientID     = "simulator"
	secretEnv    = "LEADS_ETL_EBAY_CLIENT_SECRET"
	clientSecret = "simulator-secret"
)

// When the leads were submitted: within two months, which at a million leads are
// days of 16,000.
var (
	rangeFrom = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	rangeTo   = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

// exporter is leads-etl with one configuration. Outputs are where it is told to
// put them; the empty string is none.
type exporter struct {
	binary  string
	threads int
	api     string // base URL of the simulator, or of what stands before it

	state           string
	parquet, ndjson string
	topic           string
	brokers         []string
}

func (e *exporter) leadsURL() string { return e.api + simulator.LeadsPath }
func (e *exporter) tokenURL() string { return e.api + simulator.TokenPath }

// command returns a run of the program. Its configuration is written beside its
// state.
func (e *exporter) command(ctx context.Context, args ...string) (*exec.Cmd, error) {
	var c strings.Builder
	fmt.Fprintf(&c, "[ebay]\napi-url = %q\ntoken-url = %q\naccount = %q\nmarketplace = %q\nclient-id = %q\n\n[state]\ndir = %q\n\n",
		e.leadsURL(), e.tokenURL(), account, marketplace, clientID, e.state)
	fmt.Fprintf(&c, "[fetch]\ndaily-quota = 10000000\n\n[log]\nlevel = \"warn\"\n")
	if e.parquet != "" {
		fmt.Fprintf(&c, "\n[parquet]\ndir = %q\n", e.parquet)
	}
	if e.ndjson != "" {
		fmt.Fprintf(&c, "\n[ndjson]\ndir = %q\n", e.ndjson)
	}
	if e.topic != "" {
		fmt.Fprintf(&c, "\n[kafka]\nbrokers = [\"%s\"]\ntopic = %q\ntransactional-id = %q\npositions-topic = %q\npartitions = %d\nreplication = 1\n",
			strings.Join(e.brokers, `", "`), e.topic, e.topic, e.topic+positionsSuffix, partitions)
	}
	path := e.state + ".toml"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, []byte(c.String()), 0o600); err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	cmd := exec.CommandContext(ctx, e.binary, append(args, "--config", path)...)
	cmd.Env = append(os.Environ(), secretEnv+"="+clientSecret, fmt.Sprintf("GOMAXPROCS=%d", e.threads))
	return cmd, nil
}

// batch are the arguments that export the whole range.
func batch() []string {
	return []string{"batch", "--from", rangeFrom.Format(time.RFC3339), "--to", rangeTo.Format(time.RFC3339)}
}
