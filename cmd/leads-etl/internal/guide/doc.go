// Package guide derives from the grammar of a command line what its users read
// and lean on: the manual page, and the completions of bash, zsh and fish. A
// command that is added to the grammar is in all of them by itself.
//
// The libraries that do this for kong (kong-completion, kongplete, mango-kong)
// have had no release since 2022 and 2023, and complete by running the program
// at each keystroke; what is here is a script that asks nobody.
//
// What must not be here: any command or flag by name. What a flag's values are
// is told by the caller.
package guide
