package flatten

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// base64Name marks bytes as received that cannot stand in extra as they are:
// the only name of an object for a value, a prefix for a name.
const (
	base64Member = "$base64"
	base64Name   = base64Member + ":"
)

// note is one value that has no column or does not fit it.
type note struct {
	path string
	// value is the JSON text as received, encoded that it cannot stand in extra as
	// it is, whatever strict JSON says.
	value   string
	encoded bool
	// taken says that the path's first value has been seen, so that this one
	// needs a number even if it is the only one in extra.
	taken bool
}

// notes collects what becomes the column extra.
type notes struct {
	list []note
	// unfit counts the values among them that were meant for a column.
	unfit int
}

func (n *notes) add(path string, v value, taken bool) {
	n.list = append(n.list, note{path: path, value: v.raw(), encoded: looksEncoded(v), taken: taken})
}

// appendExtra appends the notes as the JSON object that package documentation
// describes. It sorts the notes.
func appendExtra(dst []byte, list []note) []byte {
	numberPaths(list)
	slices.SortFunc(list, func(a, b note) int { return strings.Compare(a.path, b.path) })
	dst = append(dst, '{')
	for i, n := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, _ = jsontext.AppendQuote(dst, n.path) // paths are valid, see nameOf
		dst = append(dst, ':')
		dst = appendNoted(dst, &n)
	}
	return append(dst, '}')
}

// numberPaths makes the paths unique: the first value of a path keeps it, the
// others get #2, #3, … in their order, as far as those are free.
func numberPaths(list []note) {
	if len(list) == 1 && !list[0].taken {
		return
	}
	used := make(map[string]int, len(list)) // the last number given for a path
	var again []int
	for i, n := range list {
		if _, ok := used[n.path]; ok || n.taken {
			again = append(again, i)
			continue
		}
		used[n.path] = 1
	}
	for _, i := range again {
		path := list[i].path
		number := max(used[path], 1)
		for {
			number++
			numbered := path + "#" + strconv.Itoa(number)
			if _, ok := used[numbered]; !ok {
				used[path], used[numbered] = number, 1
				list[i].path = numbered
				break
			}
		}
	}
}

// appendNoted appends a value as extra holds it.
func appendNoted(dst []byte, n *note) []byte {
	start := len(dst)
	dst, err := jsontext.AppendFormat(dst, n.value, jsontext.PreserveRawStrings(true))
	if err == nil && !n.encoded {
		return dst
	}
	dst = append(dst[:start], `{"`+base64Member+`":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, []byte(n.value))
	return append(dst, `"}`...)
}

// looksEncoded reports whether a value as received could be taken for one that
// appendNoted has encoded.
func looksEncoded(v value) bool {
	if v.kind() != '{' {
		return false
	}
	c := v.into()
	name, _, ok := c.member()
	return ok && name == base64Member
}
