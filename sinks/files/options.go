package files

import (
	"fmt"
	"io/fs"
	"strconv"
	"time"
)

// Options are the configuration that all formats share. The command line reads
// fields of type "size" as numbers of bytes, such as "512MiB". RollRows and
// RollInterval are for events, of which a commit is also due when its files have
// the size of Roll together.
type Options struct {
	Dir          string        `name:"dir" help:"Folder for the files; the sink is on when it is set." placeholder:"DIR" env:"DIR"`
	Roll         int64         `name:"roll-bytes" help:"Begin a new file for a date when one has reached this size. A date in one file is replaced at one stroke for every reader." default:"512MiB" type:"size" placeholder:"SIZE" env:"ROLL_BYTES"`
	RollRows     int           `name:"roll-rows" help:"Complete the files of a stream when they hold this many events." default:"1000000" env:"ROLL_ROWS"`
	RollInterval time.Duration `name:"roll-interval" help:"Complete the files of a stream this long after the first event in them: readers see it then." default:"5m" placeholder:"DURATION" env:"ROLL_INTERVAL"`
	FileMode     string        `name:"file-mode" help:"Mode of files, octal. They hold personal data." default:"0600" env:"FILE_MODE"`
	DirMode      string        `name:"dir-mode" help:"Mode of folders, octal." default:"0700" env:"DIR_MODE"`
}

// DefaultOptions returns what the tags say, for a folder.
func DefaultOptions(dir string) Options {
	return Options{
		Dir: dir, Roll: 512 << 20, RollRows: 1_000_000, RollInterval: 5 * time.Minute,
		FileMode: "0600", DirMode: "0700",
	}
}

// On reports whether the sink is wanted.
func (o *Options) On() bool { return o.Dir != "" }

// Validate reports everything that is wrong with the options.
func (o *Options) Validate(report func(key, problem string)) {
	if o.Roll <= 0 {
		report("roll-bytes", "must be greater than 0")
	}
	if o.RollRows <= 0 {
		report("roll-rows", "must be greater than 0")
	}
	if o.RollInterval <= 0 {
		report("roll-interval", "must be greater than 0")
	}
	if _, err := parseMode(o.FileMode, 0o600); err != nil {
		report("file-mode", err.Error())
	}
	if _, err := parseMode(o.DirMode, 0o700); err != nil {
		report("dir-mode", err.Error())
	}
}

// parseMode reads permission bits in octal. Those that the exporter itself
// needs must be among them.
func parseMode(s string, need fs.FileMode) (fs.FileMode, error) {
	v, err := strconv.ParseUint(s, 8, 32)
	if err != nil || v > 0o777 {
		return 0, fmt.Errorf("%q is not an octal mode such as \"%#o\"", s, need)
	}
	mode := fs.FileMode(v)
	if mode&need != need {
		return 0, fmt.Errorf("%q lacks bits of %#o, without which the exporter cannot work", s, need)
	}
	return mode, nil
}
