package flatten

import (
	"errors"
	"fmt"
)

// maxDepth is how deep a lead, or another value that is read as one, may nest.
// The reference needs five levels; what is deeper than this is beyond what
// common JSON readers take, who are to read extra.
const maxDepth = 500

// CorruptError says that bytes are not an answer of the API: no JSON, JSON that
// ends early or goes on behind its end, or not an object. A landed page cannot
// be so unless it was changed afterwards.
type CorruptError struct {
	// Offset is the byte, of the decompressed answer, at or after which it is; 0
	// if not known.
	Offset int64
	Err    error
}

// Error holds no text of the answer.
func (e *CorruptError) Error() string {
	if e.Offset == 0 {
		return fmt.Sprintf("not an answer of the API: %v", e.Err)
	}
	return fmt.Sprintf("not an answer of the API, at byte %d: %v", e.Offset, e.Err)
}

// Unwrap returns what is wrong; io.ErrUnexpectedEOF if the answer ends early.
func (e *CorruptError) Unwrap() error { return e.Err }

// Reasons of dead letters.
const (
	reasonListings      = "classifiedLeads is not an array"
	reasonListing       = "the listing is not an object"
	reasonResponses     = "responses is not an array"
	reasonListingMember = "a member of the listing nests too deeply"
	reasonLead          = "the lead response is not an object"
	reasonLeadDepth     = "the lead response nests too deeply"
)

// visitor is told what an answer holds, in its order. Values are good until the
// call returns; their texts are as long as the stream keeps them.
type visitor interface {
	// announced is called for each member of the answer beside the listings.
	announced(name string, v value)
	// openListing and closeListing are called around what a listing holds.
	openListing()
	closeListing()
	// listed is called for each member of the listing beside the leads.
	listed(name string, v value)
	// lead is called for each lead response that is an object.
	lead(v value)
	// dead is called for what cannot be read.
	dead(letter DeadLetter)
}

// answer reads one answer (ClassifiedLeadsListResponse) as a stream. It holds
// one lead, or another member's value, at a time.
type answer struct {
	stream
	visitor visitor
	// items and leads count the listings and lead responses that have been read,
	// readable or not.
	items, leads int
}

// readAnswer tells v what the answer holds, and returns how many listings and lead
// responses there were, readable or not. The error is a *CorruptError, or says that
// the answer could not be read.
func readAnswer(s stream, v visitor) (items, leads int, err error) {
	a := answer{stream: s, visitor: v}
	if err := a.read(); err != nil {
		if _, ok := errors.AsType[*CorruptError](err); !ok {
			err = fmt.Errorf("read the answer: %w", err)
		}
		return 0, 0, err
	}
	return a.items, a.leads, nil
}

func (a *answer) read() error {
	switch c, err := a.peek(); {
	case err != nil:
		return err
	case c != '{':
		if _, _, err := a.value(); err != nil {
			return err
		}
		return a.corrupt(errForm)
	}
	if err := a.members(a.member); err != nil {
		return err
	}
	return a.end()
}

// list reads a value that should be an array, and calls read at each element; null
// is an empty one. If it is something else, it becomes a dead letter with the
// reason and place given.
func (a *answer) list(letter DeadLetter, read func() error) error {
	switch c, err := a.peek(); {
	case err != nil:
		return err
	case c == '[':
		return a.elements(read)
	}
	v, _, err := a.value()
	if err == nil && !v.isNull() {
		a.dead(letter, v)
	}
	return err
}

// member reads a member of the answer. Listings of a second classifiedLeads
// count on from the first: nothing of either is lost.
func (a *answer) member(name string) error {
	if name == "classifiedLeads" {
		return a.list(DeadLetter{Listing: -1, Response: -1, Reason: reasonListings}, a.readListing)
	}
	v, deep, err := a.value()
	if err == nil && !deep {
		a.visitor.announced(name, v)
	}
	return err
}

// readListing reads a ClassifiedLead.
func (a *answer) readListing() error {
	listing := a.items
	a.items++
	switch c, err := a.peek(); {
	case err != nil:
		return err
	case c != '{':
		v, _, err := a.value()
		if err == nil {
			a.dead(DeadLetter{Listing: listing, Response: -1, Reason: reasonListing}, v)
		}
		return err
	}
	a.visitor.openListing()
	response := -1 // counts on if responses is there twice
	err := a.members(func(name string) error {
		letter := DeadLetter{Listing: listing, Response: -1, Reason: reasonResponses}
		if name == "responses" {
			return a.list(letter, func() error {
				response++
				return a.readLead(listing, response)
			})
		}
		v, deep, err := a.value()
		switch {
		case err != nil:
			return err
		case deep:
			letter.Reason = reasonListingMember
			a.dead(letter, v)
		default:
			a.visitor.listed(name, v)
		}
		return nil
	})
	if err == nil {
		a.visitor.closeListing()
	}
	return err
}

// readLead reads one element of responses.
func (a *answer) readLead(listing, response int) error {
	a.leads++
	v, deep, err := a.value()
	if err != nil {
		return err
	}
	letter := DeadLetter{Listing: listing, Response: response}
	switch {
	case deep:
		letter.Reason = reasonLeadDepth
	case v.kind() != '{':
		letter.Reason = reasonLead
	default:
		a.visitor.lead(v)
		return nil
	}
	a.dead(letter, v)
	return nil
}

func (a *answer) dead(letter DeadLetter, v value) {
	letter.Raw = []byte(v.raw())
	a.visitor.dead(letter)
}
