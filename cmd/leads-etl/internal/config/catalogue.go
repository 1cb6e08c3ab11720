package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// key is one setting as the grammar describes it. All flags that share its
// environment variable are the same setting.
type key struct {
	name
	env string
	// flag stands for all flags of the setting: they have the same type,
	// default and text.
	flag *kong.Flag
	// secret settings come from the environment only.
	secret bool
	// local keys are no keys of the file.
	local bool
}

// Catalogue is every setting of a grammar.
type Catalogue struct {
	prefix string
	keys   []*key // in the order of the grammar
	byName map[name]*key
	byEnv  map[string]*key
	// The parts that flags and commands share: a flag's key.
	byFlag map[*kong.Flag]*key
}

// New reads the settings off a grammar. prefix begins the environment variables
// of all of them ("LEADS_ETL_").
//
// It takes the environment over from kong, which would let the file win over it
// and stop at the first value that does not fit, and hides the flags of secrets.
// The flag named "config" is not a key of the file.
func New(app *kong.Application, prefix string) *Catalogue {
	c := &Catalogue{
		prefix: prefix,
		byName: map[name]*key{},
		byEnv:  map[string]*key{},
		byFlag: map[*kong.Flag]*key{},
	}
	c.collect(app.Node)
	for n, k := range c.byName {
		_, k.secret = c.byName[name{n.section, n.key + fileSuffix}]
	}
	for flag, k := range c.byFlag {
		if k.secret {
			flag.Hidden = true
		}
	}
	return c
}

// fileSuffix ends the key that names a file with a secret.
const fileSuffix = "-file"

// configFlag names the file, so it cannot be in it.
const configFlag = "config"

func (c *Catalogue) collect(node *kong.Node) {
	for _, flag := range node.Flags {
		if len(flag.Tag.Envs) == 0 {
			continue
		}
		env := flag.Tag.Envs[0]
		flag.Tag.Envs = nil // kong no longer looks; flag.Envs stays, for the help
		k, seen := c.byEnv[env]
		if !seen {
			k = &key{name: name{key: flag.Tag.Name}, env: env, flag: flag, local: flag.Name == configFlag}
			if flag.Group != nil {
				k.section = flag.Group.Key
			}
			c.keys = append(c.keys, k)
			c.byEnv[env] = k
			if !k.local {
				c.byName[k.name] = k
			}
		}
		c.byFlag[flag] = k
	}
	for _, child := range node.Children {
		c.collect(child)
	}
}

// sections returns the names of the sections, sorted.
func (c *Catalogue) sections() []string {
	set := map[string]bool{}
	for n := range c.byName {
		if n.section != "" {
			set[n.section] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// keysOf returns the names of a section's keys, sorted.
func (c *Catalogue) keysOf(section string) []string {
	var names []string
	for n := range c.byName {
		if n.section == section {
			names = append(names, n.key)
		}
	}
	slices.Sort(names)
	return names
}

// sectionOf returns the section that has the key, if exactly one has.
func (c *Catalogue) sectionOf(key string) (section string, ok bool) {
	for n := range c.byName {
		if n.key == key {
			if ok {
				return "", false
			}
			section, ok = n.section, true
		}
	}
	return section, ok
}

// ways says how the setting can be given, for hints.
func (k *key) ways() string {
	if k.secret {
		return "set " + k.env + ", or name a file that holds it with " + name{k.section, k.key + fileSuffix}.String()
	}
	return "set " + k.String() + " in the configuration file, --" + k.flag.Name + ", or " + k.env
}

// want says which kind of value a file must give, for people.
func (k *key) want() string {
	t := k.flag.Target.Type()
	switch {
	case t.Kind() == reflect.Slice:
		return `a list of text, such as ["a", "b"]`
	case t.Kind() == reflect.Bool:
		return "true or false"
	case k.flag.Enum != "":
		return "one of " + strings.Join(k.flag.EnumSlice(), ", ")
	case t == durationType:
		return `a duration in quotes, such as "30s" or "7d"`
	case implementsText(t):
		return "a value in quotes"
	case k.flag.Tag.Type == sizeType:
		return `a size in quotes, such as "512MiB", or a number of bytes`
	case isInteger(t):
		return "an integer"
	case isFloat(t):
		return "a number"
	default:
		return "text in quotes"
	}
}
