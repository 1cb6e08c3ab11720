// Package progress shows how far long work has come: as one line that is
// redrawn on a terminal, and as a log line now and then elsewhere.
//
// It polls a function for a snapshot, so that the work knows nothing of it. The
// usual libraries (mpb, progressbar) want to be told each step, own the loop,
// and take rate and rest from the steps; here the steps are not of one size, and
// the total itself grows when windows are split.
//
// What must not be here: what the work is, and any knowledge of signals or
// configuration.
package progress
