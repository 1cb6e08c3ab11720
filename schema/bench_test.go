package schema

import (
	"strings"
	"testing"
)

func BenchmarkAppendJSON(b *testing.B) {
	r := sampleRow(b)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = AppendJSON(buf[:0], r); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(buf)))
	}
}

func BenchmarkContentHash(b *testing.B) {
	r := sampleRow(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(canonicalText(r))))
	for b.Loop() {
		ContentHash(r)
	}
}

func BenchmarkLeadID(b *testing.B) {
	r := sampleRow(b)
	b.ReportAllocs()
	for b.Loop() {
		LeadID(r, 1)
	}
}

func BenchmarkEventID(b *testing.B) {
	r := sampleRow(b)
	b.ReportAllocs()
	for b.Loop() {
		EventID(r)
	}
}

func BenchmarkCanonicalExtra(b *testing.B) {
	text := `{"z":[` + strings.Repeat(`{"name":"Grüße \ud83d\ude00","id":12345678901234567890.10,"at":1e3},`, 20) + `null],"a":true}`
	s := new(scratch)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s.out = s.out[:0]
		s.canonicalJSON(text)
	}
}
