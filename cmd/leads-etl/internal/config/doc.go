// Package config brings the settings of a command together: flags, environment,
// a TOML file and defaults, in this order. It works on any kong grammar: what is
// a key of the file, and of which section, follows from the grammar's tags, and
// is written down nowhere else.
//
//   - A flag with an environment variable is a key; other flags are not.
//   - Its section is the flag's group (none for keys above the sections), its key
//     the flag's name without the section's prefix.
//   - A key is a secret if the section also has a key of its name with "-file":
//     it is taken from the environment only.
//
// All problems of a configuration are found before anything is done, and
// reported at once, each with its place.
//
// What must not be here: the grammar itself, and what any of the keys means.
package config
