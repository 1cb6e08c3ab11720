package oracle

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// extra returns the column extra, empty for null: an object of what has no
// column or does not fit it, by path, the paths sorted by their bytes. Values
// are as received but for white space; those that are no strict JSON are put
// into base64.
func extra(l simulator.Lead, withMessages bool) string {
	values := map[string][]byte{}
	for _, from := range []map[string][]byte{l.Misfits, l.Unknown} {
		for path, raw := range from {
			inMessages := path == "memberMessage" || strings.HasPrefix(path, "memberMessage.")
			if withMessages || !inMessages {
				values[path] = raw
			}
		}
	}
	if len(values) == 0 {
		return ""
	}
	var paths []string
	for path := range values {
		paths = append(paths, path)
	}
	slices.SortFunc(paths, compare)
	out := "{"
	for i, path := range paths {
		if i > 0 {
			out += ","
		}
		out += quote(path) + ":" + extraValue(values[path])
	}
	return out + "}"
}

func extraValue(raw []byte) string {
	if !strict(raw) {
		return `{"$base64":"` + base64.StdEncoding.EncodeToString(raw) + `"}`
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		panic(err) // the simulator serves JSON
	}
	return compact.String()
}

// surrogate finds escapes of surrogates, in pairs where they come in pairs. The
// simulator writes no escaped backslash before a "ud".
var surrogate = regexp.MustCompile(`(?i)(\\ud[89ab]..\\ud[c-f]..)|(\\ud[89a-f]..)`)

// strict reports whether a value is valid UTF-8 without a surrogate alone.
func strict(raw []byte) bool {
	if !utf8.Valid(raw) {
		return false
	}
	for _, found := range surrogate.FindAllSubmatch(raw, -1) {
		if len(found[2]) > 0 {
			return false
		}
	}
	return true
}

func compare(a, b string) int { return bytes.Compare([]byte(a), []byte(b)) }
