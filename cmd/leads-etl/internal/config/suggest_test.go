package config

import "testing"

func TestClosest(t *testing.T) {
	names := []string{"client-id", "client-secret", "concurrency", "dir", "environment", "window"}
	for given, want := range map[string]string{
		"clientid": "client-id", "client_id": "client-id", "cleint-id": "client-id", "enironment": "environment", "dri": "dir", "windows": "window",
		"colour": "", "x": "", "": "", "client-cert": "client-secret",
	} {
		if got := closest(given, names); got != want {
			t.Errorf("closest(%q) = %q, want %q", given, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := distance(c.b, c.a); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}
