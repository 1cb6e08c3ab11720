package files

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"

	"github.com/leads-etl/leads-etl/schema"
)

// part is a file being written under its temporary name.
type part struct {
	disk    disk
	path    string
	out     *os.File
	buffer  *bufio.Writer
	encoder Encoder
	hash    hash.Hash
	file    file // grows with what is written
}

const partBuffer = 64 << 10

func newPart(d disk, f Format, folder, name, transaction string) (*part, error) {
	p := &part{disk: d, path: filepath.Join(folder, temp(name, transaction)), hash: sha256.New(), file: file{Name: name}}
	var err error
	if p.out, err = d.create(p.path); err != nil {
		return nil, err
	}
	p.buffer = bufio.NewWriterSize(counted{p}, partBuffer)
	if p.encoder, err = f.Encode(p.buffer); err != nil {
		return nil, errors.Join(fmt.Errorf("begin %s: %w", p.file.Name, err), p.out.Close())
	}
	return p, nil
}

// counted is the part's file as its buffer sees it.
type counted struct{ p *part }

func (c counted) Write(b []byte) (n int, err error) {
	err = c.p.disk.change("write", c.p.path, func() (err error) {
		n, err = c.p.out.Write(b)
		return err
	})
	c.p.hash.Write(b[:n])
	c.p.file.Size += int64(n)
	return n, err
}

// write encodes rows and returns how many fitted.
func (p *part) write(rows []schema.Row) (int, error) {
	n, err := p.encoder.Write(rows)
	p.file.Rows += n
	if err != nil {
		return n, fmt.Errorf("encode %s: %w", p.file.Name, err)
	}
	return n, nil
}

// finish completes the file and makes its content durable.
func (p *part) finish() (file, error) {
	err := p.encoder.Close()
	if err == nil {
		err = p.buffer.Flush()
	}
	if err != nil {
		return file{}, errors.Join(fmt.Errorf("complete %s: %w", p.file.Name, err), p.abort())
	}
	err = p.disk.change("sync", p.path, p.out.Sync)
	if cerr := p.disk.close(p.out); err == nil {
		err = cerr
	}
	p.out = nil
	p.file.SHA256 = hex.EncodeToString(p.hash.Sum(nil))
	return p.file, err
}

// abort closes the file; it is the transaction that removes it.
func (p *part) abort() error {
	if p.out == nil {
		return nil
	}
	err := p.out.Close()
	p.out = nil
	return explain("close", p.path, err)
}
