package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"

	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// corpus is what the contenders read: leads that were landed once, and the same
// answers as files.
type corpus struct {
	dir string
	// API is the address that they were landed from: a state folder belongs to it.
	API       string  `json:"api"`
	Leads     int     `json:"leads"`
	Pages     int     `json:"pages"`
	JSONBytes int64   `json:"json_bytes"`
	LeadBytes float64 `json:"lead_bytes"`
}

func (c *corpus) state() string { return filepath.Join(c.dir, "state") }
func (c *corpus) pages() string { return filepath.Join(c.dir, "pages") }

// corpusFile is written when a corpus is complete.
const corpusFile = "corpus.json"

// makeCorpus lands that many leads and returns what came of it; a corpus that is
// there is taken as it is. Without pages there are no files of the answers.
func makeCorpus(ctx context.Context, dir, binary string, leads, threads int, pages bool) (*corpus, error) {
	c := &corpus{dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, corpusFile))
	if err == nil {
		return c, json.Unmarshal(text, c)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.pages(), 0o700); err != nil {
		return nil, err
	}
	sim, err := simulate(ctx, binary, leads)
	if err != nil {
		return nil, err
	}
	defer sim.stop()
	c.API, c.Leads = sim.url, leads
	// A batch needs a sink. Whatever it writes is removed again.
	e := exporter{binary: binary, threads: threads, api: c.API, state: c.state(), ndjson: filepath.Join(dir, "landed")}
	cmd, err := e.command(ctx, batch()...)
	if err != nil {
		return nil, err
	}
	if _, _, err := measure(cmd); err != nil {
		return nil, fmt.Errorf("landing the leads: %w", err)
	}
	if err := os.RemoveAll(e.ndjson); err != nil {
		return nil, err
	}
	if pages {
		if err := c.extract(); err != nil {
			return nil, err
		}
	}
	text, err = json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return c, os.WriteFile(filepath.Join(dir, corpusFile), text, 0o600)
}

// extract writes the landed answers as files, as received: <from>_<to>.json.gz,
// with the bounds of the window in seconds since 1970, to not included.
func (c *corpus) extract() error {
	j, err := journal.OpenReadOnly(c.state(), slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("reading what was landed: %w", err)
	}
	defer j.Close()
	leads := 0
	for _, ref := range j.Pages() {
		page, err := j.Page(ref.Seq)
		if err != nil {
			return fmt.Errorf("reading what was landed: %w", err)
		}
		plain, err := gzip.NewReader(bytes.NewReader(page.Body))
		if err != nil {
			return fmt.Errorf("page %d: %w", ref.Seq, err)
		}
		size, err := io.Copy(io.Discard, plain)
		if err != nil {
			return fmt.Errorf("page %d: %w", ref.Seq, err)
		}
		c.JSONBytes += size
		leads += page.Leads
		name := fmt.Sprintf("%d_%d.json.gz", page.Window.From.Unix(), page.Window.To.Unix())
		if err := os.WriteFile(filepath.Join(c.pages(), name), page.Body, 0o600); err != nil {
			return err
		}
	}
	c.Pages = len(j.Pages())
	c.LeadBytes = float64(c.JSONBytes) / float64(max(leads, 1))
	return nil
}
