package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// peers are the programs in Python, with an interpreter that has what they need.
type peers struct{ python, dir string }

// preparePeers makes a virtual environment of the pinned requirements, unless it
// is there.
func preparePeers(ctx context.Context, dir, cache string) (*peers, error) {
	pins, err := os.ReadFile(filepath.Join(dir, "requirements.txt"))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(pins)
	venv := filepath.Join(cache, "python-"+hex.EncodeToString(sum[:6]))
	p := &peers{python: filepath.Join(venv, "bin", "python"), dir: dir}
	ready := filepath.Join(venv, "ready")
	if _, err := os.Stat(ready); err == nil {
		return p, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.RemoveAll(venv); err != nil {
		return nil, err
	}
	for _, command := range [][]string{
		{"python3", "-m", "venv", venv},
		{p.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", filepath.Join(dir, "requirements.txt")},
	} {
		out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("installing the peers, which takes Python 3 with venv: %v: %w\n%s", command, err, out)
		}
	}
	return p, os.WriteFile(ready, nil, 0o600)
}

// command runs one of the programs.
func (p *peers) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.python, append([]string{filepath.Join(p.dir, name)}, args...)...)
	cmd.Env = append(os.Environ(), secretEnv+"="+clientSecret)
	return cmd
}

// facts are what an export holds: counts, sums and bounds, by name.
type facts map[string]any

// check reads an export. The kind is parquet or ndjson.
func (p *peers) check(ctx context.Context, kind, pattern string) (facts, error) {
	var f facts
	if err := told(p.command(ctx, "check.py", kind, pattern), &f); err != nil {
		return nil, fmt.Errorf("reading what was exported: %w", err)
	}
	return f, nil
}
