package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
)

// Secret is a string that does not print: fmt, slog and every encoder that
// honours encoding.TextMarshaler show "[redacted]", or nothing if it is empty.
type Secret struct{ value string }

// NewSecret returns a Secret that holds value.
func NewSecret(value string) Secret { return Secret{value} }

// String returns "[redacted]", or "" if the secret is empty.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return "[redacted]"
}

// Format redacts the secret under every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue redacts the secret in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText redacts the secret in JSON, TOML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the secret from a variable.
func (s *Secret) UnmarshalText(text []byte) error {
	s.value = string(text)
	return nil
}

// maxSecretBytes bounds a password's file.
const maxSecretBytes = 64 << 10

// readSecretFile returns the one line that the file holds. A file that everybody
// on the machine can read is refused, as package source does with its secrets.
func readSecretFile(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return Secret{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Secret{}, err
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 && runtime.GOOS != "windows" {
		return Secret{}, fmt.Errorf("%s is open to everybody (mode %04o): chmod 600 %s", path, mode, path)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	if err != nil {
		return Secret{}, fmt.Errorf("reading %s: %w", path, err)
	}
	content = bytes.TrimRight(content, "\r\n")
	switch {
	case len(content) > maxSecretBytes:
		return Secret{}, fmt.Errorf("%s is too long for a password", path)
	case len(content) == 0:
		return Secret{}, fmt.Errorf("%s is empty", path)
	case bytes.ContainsAny(content, "\r\n\x00"):
		return Secret{}, errors.New(path + " holds more than one line")
	}
	return Secret{string(content)}, nil
}
