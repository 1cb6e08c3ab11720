package config

import (
	"cmp"
	"errors"
	"reflect"
	"slices"

	"github.com/alecthomas/kong"
)

// InForce is what a command goes by: its settings and where each came from.
type InForce struct {
	keys   []*key
	origin map[*key]string
	flags  map[*key]*kong.Flag
}

// InForce tells, for a command line that was parsed with these sources, what is
// in force.
func (s *Sources) InForce(ctx *kong.Context) *InForce {
	f := &InForce{origin: map[*key]string{}, flags: map[*key]*kong.Flag{}}
	for _, element := range slices.Backward(ctx.Path) { // the command's own first
		for _, flag := range element.Flags {
			k := s.catalogue.byFlag[flag]
			if k == nil {
				continue
			}
			f.keys = append(f.keys, k)
			f.flags[k] = flag
			if v, ok := s.values[k]; ok {
				f.origin[k] = v.place
			}
		}
	}
	// A file of TOML begins with what belongs to no section.
	slices.SortStableFunc(f.keys, func(a, b *key) int {
		return cmp.Compare(min(len(a.section), 1), min(len(b.section), 1))
	})
	for _, element := range ctx.Path {
		if element.Flag == nil || element.Resolved {
			continue
		}
		if k := s.catalogue.byFlag[element.Flag]; k != nil {
			f.origin[k] = "--" + element.Flag.Name
		}
	}
	return f
}

// Problem is a problem with a setting, with its place, and how to set it if it
// has none.
func (f *InForce) Problem(section, setting, text string) Problem {
	n := name{section, setting}
	p := Problem{Key: n.String(), Text: text}
	k := f.key(n)
	if k == nil {
		return p
	}
	p.Place = f.origin[k]
	if file := f.key(name{section, setting + fileSuffix}); p.Place == "" && file != nil {
		p.Place = f.origin[file] // a secret that was given as a file
	}
	if p.Place == "" {
		p.Hint = k.ways()
	}
	return p
}

// Set reports whether the setting was given at all, rather than left at its
// default.
func (f *InForce) Set(section, setting string) bool {
	k := f.key(name{section, setting})
	return k != nil && f.origin[k] != ""
}

// Differences names the settings whose values differ from those of other, which
// is of the same command: "[fetch] window". Where a value comes from does not
// matter.
func (f *InForce) Differences(other *InForce) []string {
	var names []string
	for _, k := range f.keys {
		if k.local {
			continue
		}
		theirs := other.key(k.name)
		if theirs == nil || !reflect.DeepEqual(f.flags[k].Target.Interface(), other.flags[theirs].Target.Interface()) {
			names = append(names, k.String())
		}
	}
	return names
}

// SetAny reports whether any setting of the section was given.
func (f *InForce) SetAny(section string) bool {
	return slices.ContainsFunc(f.keys, func(k *key) bool { return k.section == section && f.origin[k] != "" })
}

func (f *InForce) key(n name) *key {
	for _, k := range f.keys {
		if k.name == n {
			return k
		}
	}
	return nil
}

// errSecretFlag is why the command line takes no secrets.
var errSecretFlag = errors.New("secrets are not taken from the command line, where other users of the machine can see them")

// SecretFlagError says that a secret was given as a flag.
type SecretFlagError struct {
	// Flag is the flag, "--ebay-client-secret".
	Flag string
	// Hint says where the secret is taken from.
	Hint string
}

func (e *SecretFlagError) Error() string { return e.Flag + ": " + errSecretFlag.Error() }

// RefuseSecrets returns a *SecretFlagError if the command line holds a secret.
func (c *Catalogue) RefuseSecrets(ctx *kong.Context) error {
	for _, element := range ctx.Path {
		if element.Flag == nil || element.Resolved {
			continue
		}
		if k := c.byFlag[element.Flag]; k != nil && k.secret {
			return &SecretFlagError{Flag: "--" + element.Flag.Name, Hint: k.ways()}
		}
	}
	return nil
}
