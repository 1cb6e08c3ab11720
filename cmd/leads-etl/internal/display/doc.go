// Package display makes rows fit to be seen by people: what is personal is masked,
// what could play tricks on a terminal is taken out, and columns fit the width
// there is. What must not be here: where rows come from.
package display
