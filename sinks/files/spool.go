package files

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/klauspost/compress/zstd"
)

// spoolMemory is how much a reader's spool holds in memory, compressed.
const spoolMemory = 32 << 20

// spoolWindow is how far back its compressor looks.
const spoolWindow = 1 << 20

// Spool keeps text aside that is read once more, in another order than it comes in,
// of all files that are read together: compressed, in memory as far as that goes,
// and beyond it in a temporary file. What is in the file is encrypted with a key
// that is in memory only, for rows are personal, and the folder for temporary files
// need not be as guarded as the output. It is for one goroutine.
type Spool struct {
	free int64 // of the memory

	compressor   *zstd.Encoder
	decompressor *zstd.Decoder
	pressed      []byte // what came of the text that was put last

	file   *os.File // nil as long as the memory suffices
	remove string   // the file's name, if it could not be removed while it is open
	sealer cipher.AEAD
	end    int64 // of the file
	inFile int   // texts that were not taken yet
}

// Spooled is a text that a spool keeps.
type Spooled struct {
	data   []byte // nil if it is in the file
	offset int64
	size   int
}

// SpoolError says that the temporary file failed. Nothing is wrong with what is
// read.
type SpoolError struct {
	dir string
	err error
}

func (e *SpoolError) Error() string {
	return fmt.Sprintf("keeping rows in a temporary file in %s: %v; make room there, have TMPDIR name another folder, or ask for fewer rows (a shorter range, or --limit)", e.dir, e.err)
}

func (e *SpoolError) Unwrap() error { return e.err }

// NewSpool returns a spool that holds at most so many bytes in memory, but for the
// text that is being added or taken. The caller closes it.
func NewSpool(memory int64) *Spool { return &Spool{free: memory} }

// Put keeps a copy of the text until it is taken.
func (s *Spool) Put(text []byte) (Spooled, error) {
	if s.compressor == nil {
		var err error
		s.compressor, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(spoolWindow), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return Spooled{}, err
		}
	}
	s.pressed = s.compressor.EncodeAll(text, s.pressed[:0])
	if n := int64(len(s.pressed)); n <= s.free {
		s.free -= n
		return Spooled{data: bytes.Clone(s.pressed)}, nil
	}
	k, err := s.write(s.pressed)
	if err != nil {
		return Spooled{}, &SpoolError{os.TempDir(), err}
	}
	return k, nil
}

func (s *Spool) write(data []byte) (Spooled, error) {
	if s.file == nil {
		if err := s.open(); err != nil {
			return Spooled{}, err
		}
	}
	sealed := s.sealer.Seal(nil, nil, data, nil) //nolint:gosec // it makes a nonce at random for each
	if _, err := s.file.WriteAt(sealed, s.end); err != nil {
		return Spooled{}, err
	}
	k := Spooled{offset: s.end, size: len(sealed)}
	s.end += int64(len(sealed))
	s.inFile++
	return k, nil
}

// open begins the file, which has no name from then on where systems allow that: so
// nothing is left of it, however the process ends.
func (s *Spool) open() error {
	var key [32]byte
	_, _ = rand.Read(key[:]) // it does not fail
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return err
	}
	if s.sealer, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return err
	}
	if s.file, err = os.CreateTemp("", "leads-etl-*.tmp"); err != nil {
		return err
	}
	if os.Remove(s.file.Name()) != nil {
		s.remove = s.file.Name()
	}
	return nil
}

// Take returns a text, appended to into, and keeps it no longer.
func (s *Spool) Take(k Spooled, into []byte) ([]byte, error) {
	data := k.data
	if data == nil {
		var err error
		if data, err = s.read(k); err != nil {
			return nil, &SpoolError{os.TempDir(), err}
		}
	} else {
		s.free += int64(len(data))
	}
	if s.decompressor == nil {
		var err error
		if s.decompressor, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1)); err != nil {
			return nil, err
		}
	}
	return s.decompressor.DecodeAll(data, into)
}

func (s *Spool) read(k Spooled) ([]byte, error) {
	sealed := make([]byte, k.size)
	if _, err := s.file.ReadAt(sealed, k.offset); err != nil {
		return nil, err
	}
	data, err := s.sealer.Open(sealed[:0], nil, sealed, nil)
	if err != nil {
		return nil, err
	}
	if s.inFile--; s.inFile == 0 {
		// Its room is free for the next file's rows.
		s.end = 0
		err = s.file.Truncate(0)
	}
	return data, err
}

// Close removes everything that was not taken.
func (s *Spool) Close() error {
	if s.decompressor != nil {
		s.decompressor.Close()
	}
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.remove != "" {
		err = errors.Join(err, os.Remove(s.remove))
	}
	s.file = nil
	return err
}
