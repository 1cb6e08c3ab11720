package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
)

// defaultFile is read if it is there and no other is named.
const defaultFile = "leads-etl.toml"

// configured commands go by the settings. Others neither read the file nor mind
// what is wrong with it.
type configured interface {
	// validate reports every problem of every section.
	validate(report func(section, key, problem string))
}

// demand is something that a command cannot do without, and the configuration
// lacks: a problem with none of its values.
type demand struct {
	config.Problem
	// sections are those that would have it.
	sections []string
}

// configurer gives the parser what file and environment say, while it parses.
type configurer struct {
	catalogue *config.Catalogue
	environ   []string
	sources   *config.Sources
	// file is the one that counts, whether it is there or not, and state what it
	// was like before it was read.
	file  string
	state fileState
}

// newConfigurer attaches itself to the parser.
func newConfigurer(parser *kong.Kong, environ []string) *configurer {
	c := &configurer{catalogue: config.New(parser.Model, envPrefix), environ: environ}
	// An option applies to a built parser as well; this one never fails.
	_ = kong.WithBeforeResolve(c.load).Apply(parser)
	return c
}

// load is kong's hook between reading the command line and filling the rest in. It
// is called for every word that was read; the first call does it all.
func (c *configurer) load(ctx *kong.Context) error {
	if c.sources != nil {
		return nil
	}
	if err := c.catalogue.RefuseSecrets(ctx); err != nil {
		return err
	}
	path := ""
	if node := ctx.Selected(); node != nil {
		if _, ok := node.Target.Addr().Interface().(configured); ok {
			path = c.path(ctx)
			c.file = cmp.Or(path, defaultFile)
			c.state = stateOf(c.file)
		}
	}
	c.sources = config.Load(c.catalogue, path, c.environ)
	ctx.AddResolver(c.sources)
	return nil
}

// path returns the file to read, "" for none.
func (c *configurer) path(ctx *kong.Context) string {
	for _, flag := range ctx.Flags() {
		if flag.Name != "config" {
			continue
		}
		if path, _ := ctx.FlagValue(flag).(string); path != "" {
			return path
		}
	}
	if path := lookup(c.environ, envPrefix+"CONFIG"); path != "" {
		return path
	}
	if _, err := os.Stat(defaultFile); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return defaultFile
}

// lookup returns the variable's value in an environment, "" if it is not set.
func lookup(environ []string, name string) string {
	for _, variable := range environ {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}

// check checks the settings of a parsed command as a whole and returns all that
// is wrong, sorted.
func (c *configurer) check(with configured, inForce *config.InForce) config.Problems {
	problems := c.sources.Problems
	with.validate(func(section, key, text string) {
		if inForce.Set(section, key) || !c.sources.Muddled(section, key) {
			problems = append(problems, inForce.Problem(section, key, text))
		}
	})
	if demanding, ok := with.(interface{ demands() []demand }); ok {
		for _, d := range demanding.demands() {
			if !slices.ContainsFunc(d.sections, func(s string) bool { return c.sources.Muddled(s, "") }) {
				problems = append(problems, d.Problem)
			}
		}
	}
	problems.Sort(c.sources.File)
	return problems
}
