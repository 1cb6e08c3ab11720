// Package sinktest holds the contract of deliver.Sink as tests, which every sink
// passes with its own Harness, and the rows that sinks are tried with.
//
// What must not be here: anything that knows a particular sink, and anything
// that programs other than tests need.
package sinktest
