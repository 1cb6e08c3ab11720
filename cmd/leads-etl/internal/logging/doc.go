// Package logging is what the program's log goes through on its way out: what
// repeats is told once in a while, and errors bring eBay's id of their request.
//
// What must not be here: what is logged, and at which level; that is up to the
// packages that do something.
package logging
