package main

import (
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// keyBearers are the fields of the grammar whose commands have every key of the
// configuration between them. No command before them has settings, so that a
// catalogue read off them and any others is that of the whole grammar: the same
// keys in the same order, told of by the same flags.
var keyBearers = []string{"Init", "Batch"}

// partFor leaves those commands out of the grammar that do not matter to a line
// which begins with a command; other lines need the whole. Each command has flags of
// its own for the settings, which are more than a thousand in all: reading them takes
// longer than everything else up to the first request.
func partFor(args []string) (part kong.Option, ok bool) {
	if len(args) == 0 {
		return nil, false
	}
	var rest, bearers []string
	takesSettings := false
	for f := range reflect.TypeFor[grammar]().Fields() {
		switch _, command := f.Tag.Lookup("cmd"); {
		case !command:
		case slices.Contains(namesOf(f), args[0]):
			ok = true
			takesSettings = reflect.PointerTo(f.Type).Implements(reflect.TypeFor[configured]())
		case slices.Contains(keyBearers, f.Name):
			bearers = append(bearers, f.Name)
		default:
			rest = append(rest, f.Name)
		}
	}
	if !takesSettings {
		rest = append(rest, bearers...)
	}
	return kong.IgnoreFields(`^grammar\.(` + strings.Join(rest, "|") + `)$`), ok
}

// namesOf are the name of a command and its aliases.
func namesOf(f reflect.StructField) []string {
	name, ok := f.Tag.Lookup("name")
	if !ok {
		name = strings.ToLower(f.Name)
	}
	return append(strings.Fields(f.Tag.Get("aliases")), name)
}
