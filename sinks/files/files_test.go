package files

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	jn "github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// ids is the format of these tests: a lead id a line, three lines a file.
var ids = Format{
	Name:       "ids",
	Extension:  ".ids",
	Extensions: []string{".ids", ".ids.old"},
	Encode: func(w io.Writer) (Encoder, error) {
		return &idEncoder{w: w, room: 3}, nil
	},
}

// manyIDs is the same with files that hold any number.
var manyIDs = Format{
	Name:       ids.Name,
	Extension:  ids.Extension,
	Extensions: ids.Extensions,
	Encode: func(w io.Writer) (Encoder, error) {
		return &idEncoder{w: w, room: 1 << 30}, nil
	},
}

type idEncoder struct {
	w    io.Writer
	room int
}

func (e *idEncoder) Write(rows []schema.Row) (int, error) {
	for i, r := range rows {
		if e.room == 0 {
			return i, nil
		}
		e.room--
		if _, err := io.WriteString(e.w, r.LeadID+"\n"); err != nil {
			return i, err
		}
	}
	return len(rows), nil
}

func (e *idEncoder) Buffered() int { return 0 }

func (e *idEncoder) Flush() error { return nil }

func (e *idEncoder) Close() error { return nil }

const (
	day       = "2026-09-01"
	journalID = "journal-1"
)

var today = deliver.Partition{Date: day}

func spec(dir string) Spec {
	return Spec{
		Options: DefaultOptions(dir),
		Format:  ids,
		Binding: deliver.Binding{JournalID: journalID, Account: sinktest.Account, Marketplace: sinktest.Marketplace},
		Logger:  slog.New(slog.DiscardHandler),
	}
}

func mustOpen(t testing.TB, sp Spec) *Sink {
	t.Helper()
	s, err := Open(t.Context(), sp)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// commit replaces the partition.
func commit(ctx context.Context, s *Sink, p deliver.Partition, rows []schema.Row, next uint64) (deliver.Receipt, error) {
	tx, err := s.Begin(ctx, p)
	if err != nil {
		return deliver.Receipt{}, err
	}
	if err := tx.Write(ctx, rows); err != nil {
		return deliver.Receipt{}, errors.Join(err, tx.Rollback())
	}
	r, err := tx.Commit(ctx, deliver.Position{Journal: s.binding.JournalID, Next: jn.Seq(next)})
	return r, errors.Join(err, tx.Rollback())
}

func mustCommit(t testing.TB, s *Sink, p deliver.Partition, rows []schema.Row, next uint64) deliver.Receipt {
	t.Helper()
	r, err := commit(t.Context(), s, p, rows, next)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return r
}

func position(t testing.TB, s *Sink, p deliver.Partition) deliver.Position {
	t.Helper()
	pos, err := s.Position(t.Context(), p)
	if err != nil {
		t.Fatalf("position: %v", err)
	}
	return pos
}

// globbed reads a partition as engines do: what has a final name.
func globbed(t testing.TB, dir string, p deliver.Partition) []string {
	t.Helper()
	l := spec(dir).layout(dir)
	var lines []string
	for _, ext := range []string{".ids", ".ids.old"} {
		paths, err := filepath.Glob(filepath.Join(dir, l.folder(p), "[^._]*"+ext))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(paths)
		for _, path := range paths {
			lines = append(lines, readLines(t, path)...)
		}
	}
	return lines
}

// followed reads a partition as the package documentation tells readers of
// manifests to; nil without a manifest.
func followed(t testing.TB, dir string, p deliver.Partition) []string {
	t.Helper()
	l := spec(dir).layout(dir)
	m, err := readManifest(l, p)
	if err != nil {
		t.Fatal(err)
	}
	if m == nil {
		return nil
	}
	var lines []string
	for _, f := range m.Files {
		path := filepath.Join(dir, l.folder(p), f.Name)
		if !matches(path, f) {
			path = filepath.Join(dir, l.folder(p), temp(f.Name, m.Transaction))
			if !matches(path, f) {
				t.Fatalf("%s is neither under its final name nor under its temporary one", f.Name)
			}
		}
		lines = append(lines, readLines(t, path)...)
	}
	return lines
}

func matches(path string, f file) bool {
	data, err := os.ReadFile(path)
	sum := sha256.Sum256(data)
	return err == nil && int64(len(data)) == f.Size && hex.EncodeToString(sum[:]) == f.SHA256
}

func readLines(t testing.TB, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}

func leadIDs(rows []schema.Row) []string {
	var list []string
	for _, r := range rows {
		list = append(list, r.LeadID)
	}
	return list
}

// tree lists all files and folders under dir, folders with a slash at the end.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			rel += "/"
		}
		paths = append(paths, rel)
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return paths
}

// wantNoTemps fails the test if a temporary file is left anywhere.
func wantNoTemps(t testing.TB, dir string) {
	t.Helper()
	for _, path := range tree(t, dir) {
		if strings.HasSuffix(path, tempSuffix) {
			t.Fatalf("%s is left", path)
		}
	}
}

// wantEqual compares lists of leads.
func wantEqual(t testing.TB, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%d leads are not the %d wanted", len(got), len(want))
	}
}
