// Package journal is the append-only, durable record of what the API answered:
// every page as received, and the few events of a batch's life (begun, gap,
// ended). Everything downstream is a pure function of it.
//
// What must not be here: how pages are fetched, what their bodies mean, and
// who reads them.
package journal
