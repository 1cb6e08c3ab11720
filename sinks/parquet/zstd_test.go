package parquet

import (
	"bytes"
	"math/rand/v2"
	"testing"

	pqzstd "github.com/parquet-go/parquet-go/compress/zstd"
)

// Pages come out as the same bytes as from the library's codec, and can be read by it.
func TestZstdIsTheLibrarys(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	theirs := &pqzstd.Codec{Level: pqzstd.SpeedFastest}
	ours := newZstdCodec()
	for _, size := range []int{0, 1, 1000, 100_000, pageBytes, zstdWindow} {
		page := make([]byte, 0, size)
		for len(page) < size {
			word := []byte("a lead of some seller, again")
			page = append(page, word[random.IntN(len(word)):]...)
		}
		page = page[:size]
		want, err := theirs.Encode(nil, page)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ours.Encode(nil, page)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("a page of %d bytes is %d bytes, not the library's %d", size, len(got), len(want))
		}
		if back, err := theirs.Decode(nil, got); err != nil || !bytes.Equal(back, page) {
			t.Errorf("a page of %d bytes does not come back: %v", size, err)
		}
	}
}
