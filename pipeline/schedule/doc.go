// Package schedule holds the arithmetic of reading again: how often leads of
// which age are read to find what has changed, so that it takes no more calls a
// day than there are.
//
// What is young changes often, what is old seldom. Where calls are ample, the
// whole lookback is read at each poll; where they are not, ages are put into
// bands, and the older a band, the longer its period. As periods of older bands
// are multiples of those of younger ones, and a poll reads from the oldest band
// that is due up to the present in one piece, bands stay in step.
//
// What must not be here: I/O, clocks, and who makes the calls.
package schedule
