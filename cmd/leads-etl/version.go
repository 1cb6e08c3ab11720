package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// programName is the name in messages, whatever the file is called.
const programName = "leads-etl"

// version is set by release builds (-ldflags "-X main.version=…"); otherwise it
// is the module's, or the commit's.
var version string

// build says what is running.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"commit_time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func readBuild() build {
	b := build{Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.time":
				b.Time = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			}
		}
		if b.Version == "" && info.Main.Version != "(devel)" {
			b.Version = info.Main.Version
		}
	}
	if b.Version == "" {
		b.Version = "devel"
	}
	return b
}

// String is the build in one line.
func (b build) String() string {
	s := programName + " " + b.Version
	if b.Commit != "" {
		s += " (" + b.Commit[:min(12, len(b.Commit))]
		if b.Modified {
			s += ", modified"
		}
		s += ")"
	}
	return fmt.Sprintf("%s %s %s/%s", s, b.Go, b.OS, b.Arch)
}

type versionCommand struct {
	JSON bool `name:"json" help:"As JSON."`
}

func (c *versionCommand) Help() string {
	return `Examples:

    leads-etl version
    leads-etl version --json`
}

func (c *versionCommand) Run(_ context.Context, p *process) error {
	if c.JSON {
		return writeJSON(p.out, p.build)
	}
	_, err := fmt.Fprintln(p.out, p.build)
	return err
}
