package main

import (
	"strings"
	"testing"
)

// Outputs that differ make a comparison void.
func TestVoid(t *testing.T) {
	b := bench{want: facts{}, options: options{leads: 2000}}
	if err := b.compareFacts("a/x", facts{"rows": 2000.0, "fees": "12.5000"}); err != nil {
		t.Fatal(err)
	}
	for _, f := range []facts{{"rows": 1999.0}, {"rows": 2000.0, "fees": "12.4000"}} {
		if err := b.compareFacts("b/x", f); err == nil || !strings.Contains(err.Error(), "void") {
			t.Errorf("%v: error %v", f, err)
		}
	}
}
