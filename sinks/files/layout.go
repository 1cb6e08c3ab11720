package files

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// Folders and name parts that the layout is made of.
const (
	manifestFolder   = "_leads-etl"
	supersededFolder = "_superseded"
	supersededSuffix = ".superseded"
	tempSuffix       = ".tmp"
	// undatedValue is how Hive, and all that learned from it, write a null
	// partition value.
	undatedValue = "__HIVE_DEFAULT_PARTITION__"
	undatedName  = "undated"
)

// layout knows the names of everything that one account's output on one
// marketplace in one format consists of.
type layout struct {
	root        string
	format      string
	account     string
	marketplace string
	extensions  []string
}

// folder is where the partition's parts are, relative to the root.
func (l layout) folder(p deliver.Partition) string {
	value := p.Date
	if value == "" {
		value = undatedValue
	}
	return filepath.Join(l.marketplaceFolder(), "date="+value)
}

func (l layout) marketplaceFolder() string { return "marketplace=" + escape(l.marketplace) }

// manifests is the folder of all manifests, relative to the root.
func (l layout) manifests() string {
	return filepath.Join(manifestFolder, escape(l.format), l.marketplaceFolder(), "account="+escape(l.account))
}

// manifest is the path of the partition's manifest, relative to the root.
func (l layout) manifest(p deliver.Partition) string {
	name := p.Date
	if name == "" {
		name = undatedName
	}
	return filepath.Join(l.manifests(), name+".json")
}

// part is the final name of the nth part.
func (l layout) part(n int, extension string) string {
	return fmt.Sprintf("%s%05d%s", l.prefix(), n, extension)
}

func (l layout) prefix() string { return "leads-" + escape(l.account) + "-" }

// owns reports whether a name is one that part makes, for any extension of the
// format. An account "a" and an account "a-00001" do not take each other's:
// between prefix and extension there are digits only.
func (l layout) owns(name string) bool {
	rest, ok := strings.CutPrefix(name, l.prefix())
	if !ok {
		return false
	}
	return slices.ContainsFunc(l.extensions, func(ext string) bool {
		number, ok := strings.CutSuffix(rest, ext)
		return ok && len(number) >= 5 && isDigits(number)
	})
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// temp is the name under which a part is written in a transaction. Transactions
// have different ids, so that one never takes another's remains for its own.
func temp(name, transaction string) string {
	return "." + name + "." + transaction + tempSuffix
}

// cutTemp takes apart a name that temp has made.
func cutTemp(name string) (final, transaction string, ok bool) {
	rest, dot := strings.CutPrefix(name, ".")
	rest, tmp := strings.CutSuffix(rest, tempSuffix)
	i := strings.LastIndexByte(rest, '.')
	if !dot || !tmp || i < 0 || !isTransaction(rest[i+1:]) {
		return "", "", false
	}
	return rest[:i], rest[i+1:], true
}

// isTempOf reports whether temp has made the name for that transaction.
func isTempOf(name, transaction string) bool {
	_, t, ok := cutTemp(name)
	return ok && t == transaction
}

// isTransaction reports whether s is a transaction's id: 16 hexadecimal digits.
func isTransaction(s string) bool {
	return len(s) == 16 && strings.Trim(s, "0123456789abcdef") == ""
}

// partitionOf is the partition that folder makes this name for.
func partitionOf(folder string) (deliver.Partition, bool) {
	value, ok := strings.CutPrefix(folder, "date=")
	if !ok || value == "" {
		return deliver.Partition{}, false
	}
	if value == undatedValue {
		return deliver.Partition{}, true
	}
	p := deliver.Partition{Date: value}
	return p, checkPartition(p) == nil
}

// checkPartition refuses partitions that this package has no place for. It also
// keeps a date from being a path.
func checkPartition(p deliver.Partition) error {
	if p.All {
		return fmt.Errorf("files are partitioned by date: there is no partition %q", p)
	}
	if p.Date == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, p.Date); err != nil {
		return fmt.Errorf("partition %q is not a date", p.Date)
	}
	return nil
}

// maxEscaped keeps names below the 255 bytes that file systems take, with room
// for what is put before and behind.
const maxEscaped = 120

// escape makes a name part of any text, different ones of different texts: what
// is not an ASCII letter, a digit, "-", "_" or "." is percent-encoded, as Hive
// does with partition values. A text too long for a name is cut and ends in a
// hash of the whole.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() <= maxEscaped {
		return b.String()
	}
	sum := sha256.Sum256([]byte(s))
	// "~" is never the outcome of an escape, so no other text ends like this.
	return b.String()[:maxEscaped-33] + "~" + hex.EncodeToString(sum[:16])
}
