package parquet

import (
	"reflect"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding"
)

// The methods of pq.Node.

func (g group) ID() int                     { return 0 }
func (g group) String() string              { return g.asMap().String() }
func (g group) Type() pq.Type               { return g.asMap().Type() }
func (g group) Optional() bool              { return false }
func (g group) Repeated() bool              { return false }
func (g group) Required() bool              { return true }
func (g group) Leaf() bool                  { return false }
func (g group) Fields() []pq.Field          { return g }
func (g group) Encoding() encoding.Encoding { return nil }
func (g group) Compression() compress.Codec { return nil }
func (g group) GoType() reflect.Type        { return g.asMap().GoType() }

// asMap is the library's group of the same fields.
func (g group) asMap() pq.Group {
	m := make(pq.Group, len(g))
	for _, f := range g {
		m[f.Name()] = f
	}
	return m
}
