package files

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// eventManifestFolder is the folder of a stream's manifests, in that of the
// table's.
const eventManifestFolder = "events"

// eventManifests is the folder of the manifests of events, relative to the root.
func (l layout) eventManifests() string { return filepath.Join(l.manifests(), eventManifestFolder) }

func (l layout) eventPrefix() string { return "events-" + escape(l.account) + "-" }

// eventPart is the final name of the nth part of the commit that begins at a
// record of a journal. Such names sort as the commits came about.
func (l layout) eventPart(tag string, from journal.Seq, n int, extension string) string {
	return fmt.Sprintf("%s%s-%020d-%05d%s", l.eventPrefix(), tag, from, n, extension)
}

// parseEventPart takes apart a name that eventPart makes for this account, for
// any extension of the format. No two accounts take each other's: what follows
// the account has three parts, and none of them has a "-".
func (l layout) parseEventPart(name string) (tag string, from journal.Seq, ok bool) {
	rest, ok := strings.CutPrefix(name, l.eventPrefix())
	if !ok {
		return "", 0, false
	}
	i := slices.IndexFunc(l.extensions, func(ext string) bool {
		number, ok := strings.CutSuffix(rest, ext)
		return ok && isDigits(number[strings.LastIndexByte(number, '-')+1:])
	})
	if i < 0 {
		return "", 0, false
	}
	parts := strings.Split(strings.TrimSuffix(rest, l.extensions[i]), "-")
	if len(parts) != 3 || len(parts[2]) < 5 {
		return "", 0, false
	}
	from, ok = parseSeq(parts[1])
	return parts[0], from, ok && isTag(parts[0])
}

// ownsEvents reports whether a name is one that eventPart makes.
func (l layout) ownsEvents(name string) bool {
	_, _, ok := l.parseEventPart(name)
	return ok
}

// eventManifestRef is what the name of a manifest of events says.
type eventManifestRef struct {
	tag  string
	next journal.Seq
}

func (r eventManifestRef) name() string { return fmt.Sprintf("%s-%020d.json", r.tag, r.next) }

// parseEventManifest takes apart a name that eventManifestRef makes.
func parseEventManifest(name string) (r eventManifestRef, ok bool) {
	rest, ok := strings.CutSuffix(name, ".json")
	if !ok {
		return r, false
	}
	tag, number, _ := strings.Cut(rest, "-")
	next, ok := parseSeq(number)
	return eventManifestRef{tag, next}, ok && isTag(tag)
}

// parseSeq reads a number of 20 digits.
func parseSeq(s string) (journal.Seq, bool) {
	if len(s) != 20 || !isDigits(s) {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return journal.Seq(n), err == nil
}

// tagLength is how much of a journal's id stands in names.
const tagLength = 8

// journalTag is what stands for a journal in names.
func journalTag(id string) (string, error) {
	if len(id) < tagLength || !isTag(id[:tagLength]) {
		return "", fmt.Errorf("the journal's id %q does not begin with %d hexadecimal digits", id, tagLength)
	}
	return id[:tagLength], nil
}

func isTag(s string) bool {
	return len(s) == tagLength && strings.Trim(s, "0123456789abcdef") == ""
}
