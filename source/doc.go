// Package source is the client of eBay's Leads API. It implements
// fetch.Source: one window in, one page out, with authorization, retries,
// quota, reconciliation and every rule of the API in between.
//
// Only this package knows HTTP, OAuth, the API's error codes, and that the
// API's bounds are inclusive, whole seconds, ordered and in the past.
//
// What must not be here: how ranges are planned and split (pipeline/fetch),
// what an answer means (pipeline/flatten), where it is kept (pipeline/journal).
package source
