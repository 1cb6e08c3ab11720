package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/peerbench/report"
)

// store keeps samples from run to run, in a file of JSON lines, so that a
// comparison that was broken off goes on. Samples of another program, other peers
// or other sizes are not taken.
type store struct {
	path    string
	key     string
	entries []entry
}

// entry is one sample and what belongs to it.
type entry struct {
	Key       string        `json:"key"`
	Contender string        `json:"contender"`
	Round     int           `json:"round"`
	Sample    report.Sample `json:"sample"`
	Facts     facts         `json:"facts,omitempty"`
	Others    float64       `json:"others"`
	Version   string        `json:"version,omitempty"`
}

func openStore(b *bench) (*store, error) {
	s := &store{path: filepath.Join(b.dir, "samples.jsonl")}
	var err error
	if s.key, err = keyOf(b); err != nil {
		return nil, err
	}
	if b.fresh {
		if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue // the last line of a run that was killed
		}
		if e.Key == s.key {
			s.entries = append(s.entries, e)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the samples of earlier runs: %w", err)
	}
	if n := len(s.entries); n > 0 {
		say(b.log, "%d samples of an earlier run are taken over (-fresh measures anew)", n)
	}
	return s, nil
}

// keyOf names what is measured: the programs and the sizes.
func keyOf(b *bench) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, b.leads, b.threads)
	scripts, err := filepath.Glob(filepath.Join(b.peersDir, "*_peer.py"))
	if err != nil {
		return "", err
	}
	for _, path := range append(scripts, filepath.Join(b.peersDir, "requirements.txt"), b.binary) {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(sum, f)
		f.Close()
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

func (s *store) add(e entry) error {
	e.Key = s.key
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	s.entries = append(s.entries, e)
	return errors.Join(err, f.Close())
}

func (s *store) find(contender string, round int) (entry, bool) {
	for _, e := range s.entries {
		if e.Contender == contender && e.Round == round {
			return e, true
		}
	}
	return entry{}, false
}

// samples are those of the first rounds, by contender, in the order of the rounds.
func (s *store) samples(rounds int) map[string][]report.Sample {
	all := make(map[string][]report.Sample)
	for round := range rounds {
		for _, e := range s.entries {
			if e.Round == round {
				all[e.Contender] = append(all[e.Contender], e.Sample)
			}
		}
	}
	return all
}

// others is the most that others took of the machine before a sample, in percent.
func (s *store) others() float64 {
	highest := 0.0
	for _, e := range s.entries {
		highest = max(highest, e.Others)
	}
	return highest
}
