package simulator

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

func TestSmoke(t *testing.T) {
	s, err := New(Config{Seed: 1, Leads: 20000, Listings: 500})
	if err != nil {
		t.Fatal(err)
	}
	n, bytes, bad := 0, 0, 0
	start := time.Now()
	for l := range s.Truth(s.Range()) {
		n++
		bytes += len(l.Raw)
		if !json.Valid(l.Raw) {
			bad++
			fmt.Printf("%q\n", l.Raw)
		}
		if n < 4 || len(l.Misfits) > 0 && n < 3000 {
			fmt.Printf("%s\n", l.Raw)
		}
	}
	fmt.Println(n, bytes/n, bad, time.Since(start)/time.Duration(n))
}
