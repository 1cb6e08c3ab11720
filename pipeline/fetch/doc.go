// Package fetch brings ranges of time from a Source into the journal: it plans
// windows, runs workers, splits what fails, and records what cannot be had as
// gaps. Its promise: when Run returns without an error, every second of the
// ranges is covered by a complete page or named by a gap.
//
// What must not be here: HTTP and the API's rules (package source), and what
// becomes of landed pages (package deliver).
package fetch
