package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretFile(t *testing.T) {
	for _, test := range []struct {
		name, content string
		mode          os.FileMode
		want, problem string
	}{
		{"one line", "secret", 0o600, "secret", ""},
		{"with newline", "secret\n", 0o600, "secret", ""},
		{"from Windows", "secret\r\n", 0o400, "secret", ""},
		{"of a container", "secret", 0o440, "secret", ""},
		{"with spaces", " se cret \n", 0o600, " se cret ", ""},
		{"for everybody", "secret", 0o644, "", "chmod 600"},
		{"for everybody to write", "secret", 0o602, "", "chmod 600"},
		{"empty", "\n", 0o600, "", "is empty"},
		{"two lines", "secret\nmore\n", 0o600, "", "more than one line"},
		{"binary", "se\x00cret", 0o600, "", "more than one line"},
		{"too long", strings.Repeat("s", maxSecretBytes+1), 0o600, "", "too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte(test.content), test.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, test.mode); err != nil { // the umask may have taken bits away
				t.Fatal(err)
			}
			got, err := Resolve(Secret{}, path)
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) || strings.Contains(err.Error(), "secret\n") {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || got.Reveal() != test.want {
				t.Errorf("got %q, %v", got.Reveal(), err)
			}
		})
	}
	if _, err := Resolve(Secret{}, t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("got %v", err)
	}
}

func TestResolve(t *testing.T) {
	if got, err := Resolve(New("given"), ""); err != nil || got.Reveal() != "given" {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
	if got, err := Resolve(Secret{}, ""); err != nil || !got.IsZero() {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
	if _, err := Resolve(New("given"), "/nowhere"); !errors.Is(err, ErrBoth) {
		t.Errorf("got %v", err)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	held := struct{ Password Secret }{New("hunter2")}
	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s"} {
		fmt.Fprintf(&text, verb+"\n", held.Password)
		fmt.Fprintf(&text, verb+"\n", &held.Password)
		fmt.Fprintf(&text, verb+"\n", held)
		fmt.Fprintf(&text, verb+"\n", &held)
	}
	b, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	text.Write(b)
	for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&text, nil)} {
		slog.New(h).Info("secrets", "secret", held.Password, "holder", held, "pointer", &held)
	}
	if got := text.String(); strings.Contains(got, "hunter2") || strings.Contains(got, fmt.Sprintf("%x", "hunter2")) || strings.Contains(got, "hun\n") {
		t.Errorf("the secret shows:\n%s", got)
	}
	if fmt.Sprint(Secret{}) != "" || fmt.Sprint(New("x")) != Redacted {
		t.Error("an empty secret is not told from one that is set")
	}
	var s Secret
	if err := s.UnmarshalText([]byte("from text")); err != nil || s.Reveal() != "from text" {
		t.Errorf("got %q, %v", s.Reveal(), err)
	}
}
