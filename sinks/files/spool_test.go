package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// spooled puts so many texts into a spool. They are told apart by their beginnings.
func spooled(t *testing.T, s *Spool, n int) (texts [][]byte, kept []Spooled) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		text := fmt.Appendf(nil, "text %d of somebody ", i)
		for len(text) < 20_000 {
			text = fmt.Append(text, random.Uint32())
		}
		k, err := s.Put(text)
		if err != nil {
			t.Fatal(err)
		}
		texts, kept = append(texts, text), append(kept, k)
	}
	return texts, kept
}

func taken(t *testing.T, s *Spool, k Spooled, want []byte) {
	t.Helper()
	got, err := s.Take(k, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bytes are not the %d that were put", len(got), len(want))
	}
}

// Texts come back in whatever order they are taken, memory is bounded, and what it
// cannot hold is in one file, which is empty again when all of that was taken.
func TestSpool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	const memory = 100_000
	s := NewSpool(memory)
	defer s.Close()
	for round := range 3 {
		texts, kept := spooled(t, s, 100)
		held := 0
		for _, k := range kept {
			held += len(k.data)
		}
		if held == 0 || held > memory {
			t.Errorf("%d bytes are in memory, and %d may be", held, memory)
		}
		info, err := s.file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if size := info.Size(); size == 0 || size > 100*20_000 {
			t.Errorf("round %d: the file has %d bytes", round, size)
		}
		for _, i := range rand.New(rand.NewPCG(3, 4)).Perm(100) {
			taken(t, s, kept[i], texts[i])
		}
		if info, err = s.file.Stat(); err != nil || info.Size() != 0 {
			t.Errorf("the file still has %d bytes (%v)", info.Size(), err)
		}
		if s.free != memory {
			t.Errorf("%d bytes of memory are free", s.free)
		}
	}
}

// What fits into memory needs no file.
func TestSpoolInMemory(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	s := NewSpool(1 << 20)
	texts, kept := spooled(t, s, 20)
	for i, k := range slices.Backward(kept) {
		taken(t, s, k, texts[i])
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Nobody reads the rows in the file, and nothing is left of it, whatever was taken.
func TestSpoolLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := NewSpool(0)
	// What cannot be compressed would be seen if it was in clear.
	text := make([]byte, 5000)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(text)
	var kept [3]Spooled
	for i := range kept {
		var err error
		if kept[i], err = s.Put(text); err != nil {
			t.Fatal(err)
		}
	}
	file := make([]byte, s.end)
	if _, err := s.file.ReadAt(file, 0); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, text[:16]) || bytes.Contains(file, text[4000:4016]) {
		t.Error("rows stand in the file in clear")
	}
	taken(t, s, kept[1], text)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v (%v)", left, err)
	}
}

// A file that cannot be made, or was changed, is an error that says what to do.
func TestSpoolFails(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	s := NewSpool(0)
	_, err := s.Put([]byte("text"))
	if _, ok := errors.AsType[*SpoolError](err); !ok || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("without its folder: %v", err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	_, kept := spooled(t, s, 2)
	if _, err := s.file.WriteAt([]byte("x"), kept[1].offset+40); err != nil {
		t.Fatal(err)
	}
	if _, err = s.Take(kept[1], nil); err == nil {
		t.Error("a changed text is taken")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
