package parquet

import (
	"sync"

	"github.com/klauspost/compress/zstd"
	pqzstd "github.com/parquet-go/parquet-go/compress/zstd"
)

// zstdWindow is how far back matches are looked for: twice the size of a page, which
// only very long rows make pages pass. A compressor holds its window and a bit, where
// the library's own holds 8 MiB, and it has as many as there were ever pages
// compressed at the same time.
const zstdWindow = 2 * pageBytes

// zstdCodec compresses as the library's codec of level SpeedFastest does, to the same
// bytes for pages of up to zstdWindow, with one compressor for all of a sink's files.
type zstdCodec struct {
	pqzstd.Codec
	encoder func() *zstd.Encoder
}

func newZstdCodec() *zstdCodec {
	return &zstdCodec{
		Codec: pqzstd.Codec{Level: pqzstd.SpeedFastest},
		encoder: sync.OnceValue(func() *zstd.Encoder {
			e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
				zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false),
				zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
			if err != nil {
				panic("parquet: " + err.Error()) // these options are right
			}
			return e
		}),
	}
}

// Encode is safe for concurrent use, as codecs are: who comes second waits.
func (c *zstdCodec) Encode(dst, src []byte) ([]byte, error) {
	return c.encoder().EncodeAll(src, dst[:0]), nil
}
