// Package deliver brings what is landed in the journal to the sinks: each sink
// at its own pace, from its own position, as a table (files of a batch) or as a
// log (a topic). It declares the contract of sinks.
//
// Where the journal was pruned, the rows of the base are swept along with those of
// pages, and an Append sink that has not come as far is given the leads of the base
// first (snapshot). NeedOf tells what a sink still needs of a journal.
//
// Delivery is a pure function of the journal and of the position that the sink
// stored with its output. What must not be here: fetching, and anything that
// knows a format or a broker.
package deliver
