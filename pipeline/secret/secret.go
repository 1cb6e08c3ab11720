// Package secret holds secrets so that they do not show: in logs, in errors, in
// printed configurations. Every part that is configured with one takes it from
// here. What must not be here: what a secret is for.
package secret

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
)

// Redacted is what a secret looks like to everybody but whom it is for.
const Redacted = "[redacted]"

// maxSecretBytes bounds a secret's file; eBay's refresh tokens have some 2 KB.
const maxSecretBytes = 64 << 10

// Secret is a string that does not print: fmt, slog, encoding/json and every
// encoder that honours encoding.TextMarshaler show "[redacted]", or nothing if
// it is empty. The zero value is the empty secret.
type Secret struct{ value string }

// New returns a Secret that holds value.
func New(value string) Secret { return Secret{value} }

// Reveal returns what the secret holds.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.value == "" }

// String returns "[redacted]", or "" if the secret is empty.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return Redacted
}

// Format redacts the secret under every verb, %#v and %x included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue redacts the secret in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText redacts the secret in JSON, TOML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the secret from a flag, a variable or a file.
func (s *Secret) UnmarshalText(text []byte) error {
	s.value = string(text)
	return nil
}

// readFile returns the one line that the file holds. A file that
// everybody on the machine can read is refused; one that the group can read is
// not, for that is how containers are given their secrets.
func readFile(path string) (Secret, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Secret{}, fmt.Errorf("there is no file %s: name the file that holds nothing but the secret", path)
	}
	if err != nil {
		return Secret{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Secret{}, err
	}
	if !info.Mode().IsRegular() {
		return Secret{}, fmt.Errorf("%s is not a file", path)
	}
	// Windows has no such bits; Go makes them up.
	if mode := info.Mode().Perm(); mode&0o007 != 0 && runtime.GOOS != "windows" {
		return Secret{}, fmt.Errorf("%s is open to everybody (mode %04o): chmod 600 %s", path, mode, path)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	if err != nil {
		return Secret{}, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(content) > maxSecretBytes {
		return Secret{}, fmt.Errorf("%s is too long for a secret", path)
	}
	content = bytes.TrimRight(content, "\r\n")
	switch {
	case len(content) == 0:
		return Secret{}, fmt.Errorf("%s is empty", path)
	case bytes.ContainsAny(content, "\r\n\x00"):
		return Secret{}, fmt.Errorf("%s holds more than one line", path)
	}
	return Secret{string(content)}, nil
}

// ErrBoth says that a secret was given twice.
var ErrBoth = errors.New("give either the value or a file, not both")

// Resolve returns the secret that is given as a value or as a file's
// name; the empty secret if neither is.
func Resolve(value Secret, path string) (Secret, error) {
	switch {
	case path == "":
		return value, nil
	case !value.IsZero():
		return Secret{}, ErrBoth
	}
	return readFile(path)
}
