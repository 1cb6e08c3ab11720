package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// longestListing is how many entries of a folder are shown.
const longestListing = 4

// showTree shows the files under a folder with their sizes. Of long folders it
// shows the first, and of those that engines pass over only how much they hold.
func showTree(w io.Writer, dir string, ascii bool) error {
	fmt.Fprintln(w, dir)
	return tree(w, dir, "", ascii)
}

func tree(w io.Writer, dir, indent string, ascii bool) error {
	branch, last, bar := "├── ", "└── ", "│   "
	if ascii {
		branch, last, bar = "|-- ", "`-- ", "|   "
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	left := 0
	if len(entries) > longestListing {
		left = len(entries) - longestListing + 1
		entries = entries[:longestListing-1]
	}
	for i, e := range entries {
		sign, below := branch, bar
		if i == len(entries)-1 && left == 0 {
			sign, below = last, "    "
		}
		path := filepath.Join(dir, e.Name())
		open := e.IsDir() && !strings.HasPrefix(e.Name(), "_") && e.Name() != "state"
		bytes, err := sizeOf(path)
		if err != nil {
			return err
		}
		if !open {
			fmt.Fprintf(w, "%s%s%s  %s\n", indent, sign, e.Name(), size(bytes))
			continue
		}
		fmt.Fprintf(w, "%s%s%s\n", indent, sign, e.Name())
		if err := tree(w, path, indent+below, ascii); err != nil {
			return err
		}
	}
	if left > 0 {
		fmt.Fprintf(w, "%s%s%d more\n", indent, last, left)
	}
	return nil
}

// sizeOf is the sum of all files at or under a path.
func sizeOf(path string) (total int64, err error) {
	err = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
