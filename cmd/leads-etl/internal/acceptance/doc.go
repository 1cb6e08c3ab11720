// Package acceptance runs the real program, as a process, against the API's
// stand-in and a real broker, and holds what reached the three sinks against
// the truth of the simulated world, column by column. It holds tests only.
package acceptance
