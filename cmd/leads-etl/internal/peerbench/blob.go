package main

import "bytes"

// blob is bytes in the form that kafka-go reads, to be sent more than once.
type blob struct {
	bytes.Reader
	content []byte
}

func newBlob(content []byte) *blob {
	b := &blob{content: content}
	b.rewind()
	return b
}

func (b *blob) rewind() { b.Reset(b.content) }

// Close does nothing: it is for kafka-go.
func (*blob) Close() error { return nil }
