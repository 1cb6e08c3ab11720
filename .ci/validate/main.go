// Command validate reads files of deploy as the programs do that they are for:
//
//	validate dockerfile FILE    BuildKit's parser and linter
//	validate goreleaser FILE    the types of goreleaser, and nothing that these do not know
//	validate compose FILE       the loader of Docker Compose; prints the environment of the service stream
//	validate grafana FILE       the types of Grafana's dashboards, and nothing that these do not know
//
// It is a module of its own, so that what it needs is nothing that the program needs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/goreleaser/goreleaser/v2/pkg/config"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "validate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: validate dockerfile|compose|goreleaser|grafana FILE")
	}
	switch args[0] {
	case "dockerfile":
		return dockerfile(args[1])
	case "compose":
		return compose(args[1])
	case "goreleaser":
		return goreleaser(args[1])
	case "grafana":
		return grafana(args[1])
	}
	return fmt.Errorf("%q is none of dockerfile, compose, goreleaser, grafana", args[0])
}

func dockerfile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	parsed, err := parser.Parse(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var warnings []string
	for _, w := range parsed.Warnings {
		warnings = append(warnings, w.Short)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, msg string, _ []parser.Range) { warnings = append(warnings, rule+": "+msg) }})
	stages, _, err := instructions.Parse(parsed.AST, lint)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(warnings) > 0 {
		return fmt.Errorf("%s: %q", path, warnings)
	}
	last := stages[len(stages)-1]
	fmt.Printf("%s: %d stages, the last of %s\n", path, len(stages), last.BaseName)
	return nil
}

func goreleaser(path string) error {
	project, err := config.Load(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(project.Builds) == 0 || len(project.SBOMs) == 0 || project.Checksum.Algorithm == "" {
		return fmt.Errorf("%s: builds, checksums and SBOMs are not all there", path)
	}
	fmt.Printf("%s: %d builds for %d systems on %d architectures\n", path, len(project.Builds), len(project.Builds[0].Goos), len(project.Builds[0].Goarch))
	return nil
}

func compose(path string) error {
	options, err := cli.NewProjectOptions([]string{path}, cli.WithResolvedPaths(true))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	service, err := project.GetService("stream")
	if err != nil {
		return err
	}
	var names []string
	for name := range service.Environment {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if value := service.Environment[name]; value != nil {
			fmt.Printf("%s=%s\n", name, *value)
		}
	}
	return nil
}

func grafana(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	plugins.RegisterDefaultPlugins() // the options of panels and queries, by their type
	var board dashboard.Dashboard
	if err := board.UnmarshalJSONStrict(raw); err != nil {
		var all cog.BuildErrors
		if !errors.As(err, &all) {
			return fmt.Errorf("%s: %w", path, err)
		}
		// What is missing has Grafana's default.
		all = slices.DeleteFunc(all, func(e *cog.BuildError) bool { return e.Message == "required field is missing from input" })
		if len(all) > 0 {
			return fmt.Errorf("%s: %w", path, all)
		}
	}
	if err := board.Validate(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(board.Panels) == 0 {
		return fmt.Errorf("%s: no panels", path)
	}
	fmt.Printf("%s: %d panels and rows\n", path, len(board.Panels))
	return nil
}
