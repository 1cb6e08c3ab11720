package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// output is something that a contender wrote: files by a pattern (parquet,
// ndjson), or a topic (kafka).
type output struct{ kind, where string }

func (o output) read(ctx context.Context, b *bench) (facts, error) {
	if o.kind != "kafka" {
		return b.peers.check(ctx, o.kind, o.where)
	}
	f, err := b.broker.count(ctx, o.where)
	if err != nil {
		return nil, err
	}
	return f, b.broker.remove(ctx, o.where)
}

// differ takes in what is new in others, and names what is not the same in both,
// if anything is: a comparison of outputs that differ is void.
func (f facts) differ(others facts) string {
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if have, ok := f[name]; ok && have != others[name] {
			return fmt.Sprintf("%s %v and %v", name, have, others[name])
		}
		f[name] = others[name]
	}
	return ""
}
