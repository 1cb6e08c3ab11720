// Package report sums up leads and draws them as one page of HTML that needs
// nothing else: no network, no script, no file beside it. Nothing personal gets
// into what is summed up, so there is nothing to mask in the page.
//
// What must not be here: where leads come from, and rows.
package report
