package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// maxFile is far more than any configuration; a larger file is a mistake, such
// as a device or an export.
const maxFile = 1 << 20

// setting is a value that the environment or the file gives.
type setting struct {
	text  string
	place string
}

// Sources is what environment and file say. It is the resolver that gives it to
// kong.
type Sources struct {
	catalogue *Catalogue
	values    map[*key]setting
	// File is the file that was read, "" if none.
	File string
	// Problems are what is wrong with them; the values concerned count as not
	// set.
	Problems Problems
	// muddled are the keys that something is wrong with, and sections, as names
	// without key; cut says that nobody knows what else the file has.
	muddled map[name]bool
	cut     bool
	// Warnings are what is odd, but may be meant.
	Warnings []Problem
}

// Load reads the environment and a file, and checks every part of both against
// the catalogue. path "" reads no file; otherwise the file must be there.
// environ is in the form of os.Environ. Empty variables count as not set.
func Load(c *Catalogue, path string, environ []string) *Sources {
	s := &Sources{catalogue: c, values: map[*key]setting{}, muddled: map[name]bool{}}
	if path != "" {
		s.file(path)
	}
	s.environment(environ)
	return s
}

func (s *Sources) file(path string) {
	data, err := readFile(path)
	if err != nil {
		s.Problems = append(s.Problems, Problem{Place: path, Text: err.Error(), Hint: "name the configuration file with --config or " + s.catalogue.prefix + "CONFIG"})
		return
	}
	s.File = path
	s.document(path, data)
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("there is no such file")
	case err != nil:
		return nil, fmt.Errorf("the file cannot be read: %w", errors.Unwrap(err))
	case info.IsDir():
		return nil, errors.New("is a folder, not a file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("is no configuration: it has %d bytes", info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", errors.Unwrap(err))
	}
	return data, nil
}

// document takes up what a file says.
func (s *Sources) document(path string, data []byte) {
	doc := parseTOML(path, data)
	s.Problems = append(s.Problems, doc.problems...)
	s.cut = doc.cut
	for _, n := range doc.muddled {
		s.muddle(n)
	}
	sections := s.catalogue.sections()
	known := func(section string) bool { return section == "" || slices.Contains(sections, section) }
	for _, header := range doc.sections {
		if !known(header.section) {
			s.unknownSection(place(path, header.line), header.section, sections)
		}
	}
	for _, e := range doc.entries {
		k := s.catalogue.byName[e.name]
		switch {
		case k != nil:
			s.entry(path, k, e)
		case known(e.section):
			s.unknownKey(place(path, e.line), e.name)
		case !slices.ContainsFunc(doc.sections, func(h entry) bool { return h.section == e.section }):
			s.unknownSection(place(path, e.line), e.section, sections)
		}
	}
}

// muddle notes that something is wrong with a key, or with a section.
func (s *Sources) muddle(n name) {
	s.muddled[n] = true
	s.muddled[name{section: n.section}] = true
}

// Muddled reports whether a problem was found that may be why the setting, or
// one of the section if setting is empty, seems not to be set: saying that it is
// missing would be one problem told twice.
func (s *Sources) Muddled(section, setting string) bool {
	return s.cut || s.muddled[name{section, setting}] || s.muddled[name{section, everyKey}]
}

// everyKey in a name stands for all keys of the section.
const everyKey = "*"

func (s *Sources) unknownSection(where, section string, sections []string) {
	p := Problem{Place: where, Key: "[" + section + "]", Text: "unknown section"}
	if near := closest(section, sections); near != "" {
		p.Hint = "did you mean [" + near + "]?"
		s.muddle(name{near, everyKey})
	} else {
		p.Hint = "the sections are " + strings.Join(sections, ", ")
	}
	s.Problems = append(s.Problems, p)
}

func (s *Sources) unknownKey(where string, n name) {
	p := Problem{Place: where, Key: n.String(), Text: "unknown key"}
	if near := closest(n.key, s.catalogue.keysOf(n.section)); near != "" {
		p.Hint = fmt.Sprintf("did you mean %s?", near)
		s.muddle(name{n.section, near})
	} else if section, ok := s.catalogue.sectionOf(n.key); ok {
		p.Hint = fmt.Sprintf("it belongs to %s", name{section, n.key})
		s.muddle(name{section, n.key})
		if section == "" {
			p.Hint = "it belongs above the sections"
		}
	} else {
		p.Hint = "the keys there are " + strings.Join(s.catalogue.keysOf(n.section), ", ")
	}
	s.Problems = append(s.Problems, p)
}

// entry takes up a known key of the file.
func (s *Sources) entry(path string, k *key, e entry) {
	p := Problem{Place: place(path, e.line), Key: k.String()}
	text, fits := k.textOf(e)
	switch {
	case k.secret:
		p.Text, p.Hint = "secrets do not belong in this file", k.ways()
	case !fits:
		p.Text, p.Hint = "is "+e.kind.String(), "write "+k.want()
	default:
		err := k.try(text)
		if err == nil {
			s.values[k] = setting{text, p.Place}
			return
		}
		p.Text = err.Error()
	}
	s.muddle(k.name)
	s.Problems = append(s.Problems, p)
}

// environment takes up the variables; they win over the file.
func (s *Sources) environment(environ []string) {
	for _, variable := range slices.Sorted(slices.Values(environ)) {
		env, text, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(env, s.catalogue.prefix) || text == "" {
			continue
		}
		k := s.catalogue.byEnv[env]
		if k == nil {
			s.unknownVariable(env)
			continue
		}
		if err := k.try(text); err != nil {
			p := Problem{Place: env, Key: k.String(), Text: err.Error()}
			if k.secret {
				p.Text = "the value cannot be read"
			}
			s.muddle(k.name)
			s.Problems = append(s.Problems, p)
			continue
		}
		s.values[k] = setting{text, env}
	}
}

// unknownVariable warns: Kubernetes, for one, gives every container variables
// named after its services, so that a foreign LEADS_ETL_… need not be an error.
func (s *Sources) unknownVariable(env string) {
	p := Problem{Place: env, Text: "no setting has this variable"}
	var names []string
	for _, k := range s.catalogue.keys {
		names = append(names, k.env)
	}
	if near := closest(env, names); near != "" {
		p.Hint = "did you mean " + near + "?"
	}
	s.Warnings = append(s.Warnings, p)
}

// Validate is part of kong.Resolver; everything was checked by Load.
func (s *Sources) Validate(*kong.Application) error { return nil }

// Resolve returns what environment or file give for the flag, nil if nothing.
func (s *Sources) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if k := s.catalogue.byFlag[flag]; k != nil {
		if v, ok := s.values[k]; ok {
			return v.text, nil
		}
	}
	return nil, nil //nolint:nilnil // kong's contract
}
