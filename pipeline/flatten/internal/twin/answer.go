package twin

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
)

// maxDepth is how deep a lead, or another value that is read as one, may nest.
// The reference needs five levels; what is deeper than this is beyond what
// common JSON readers take, who are to read extra.
const maxDepth = 500

// Reasons of dead letters.
const (
	reasonListings      = "classifiedLeads is not an array"
	reasonListing       = "the listing is not an object"
	reasonResponses     = "responses is not an array"
	reasonListingMember = "a member of the listing nests too deeply"
	reasonLead          = "the lead response is not an object"
	reasonLeadDepth     = "the lead response nests too deeply"
)

// visitor is told what an answer holds, in its order. Values are JSON text as
// received.
type visitor interface {
	// announced is called for each member of the answer beside the listings.
	announced(name, value string)
	// openListing and closeListing are called around what a listing holds.
	openListing()
	closeListing()
	// listed is called for each member of the listing beside the leads.
	listed(name, value string)
	// lead is called for each lead response that is an object.
	lead(text string)
	// dead is called for what cannot be read.
	dead(letter flatten.DeadLetter)
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

// readAnswer tells v what the answer in r holds, and returns how many listings
// and lead responses there were, readable or not. The error is a *flatten.CorruptError,
// or says that r could not be read.
func readAnswer(r io.Reader, v visitor) (items, leads int, err error) {
	a := answer{stream: newStream(r), visitor: v}
	if err := a.read(); err != nil {
		return 0, 0, a.explain(err)
	}
	return a.items, a.leads, nil
}

func (a *answer) explain(err error) error {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		// Only the cause: the rest of a syntactic error quotes the answer.
		return &flatten.CorruptError{Offset: a.moved + syntax.ByteOffset, Err: syntax.Err}
	}
	if _, ok := errors.AsType[*flatten.CorruptError](err); ok {
		return err
	}
	return fmt.Errorf("read the answer: %w", err)
}

func (a *answer) read() error {
	switch kind := a.decoder.PeekKind(); kind {
	case jsontext.KindBeginObject:
	case jsontext.KindInvalid:
		_, err := a.decoder.ReadToken()
		if err == io.EOF {
			err = a.corrupt(io.ErrUnexpectedEOF)
		}
		return err
	default:
		return a.corrupt(errors.New("not an object"))
	}
	if err := a.members(a.member); err != nil {
		return err
	}
	switch _, err := a.decoder.ReadToken(); err {
	case io.EOF:
		return nil
	case nil:
		return a.corrupt(errors.New("more after its end"))
	default:
		return err
	}
}

// corrupt is the error for something at the place that has been reached.
func (a *answer) corrupt(err error) error {
	return &flatten.CorruptError{Offset: a.moved + a.decoder.InputOffset(), Err: err}
}

// members reads an object, and calls read at each member's value.
func (a *answer) members(read func(name string) error) error {
	if _, err := a.decoder.ReadToken(); err != nil {
		return err
	}
	for a.decoder.PeekKind() == jsontext.KindString {
		quoted, err := a.decoder.ReadValue()
		if err != nil {
			return err
		}
		if err := read(nameOf(string(quoted))); err != nil {
			return err
		}
	}
	_, err := a.decoder.ReadToken() // the brace, or what is wrong
	return err
}

// elements reads a value that should be an array, and calls read at each
// element; null is an empty one. If it is something else, it becomes a dead
// letter with the reason and place given.
func (a *answer) elements(letter flatten.DeadLetter, read func() error) error {
	if a.decoder.PeekKind() != jsontext.KindBeginArray {
		value, _, err := a.value()
		if err != nil {
			return err
		}
		if value != "null" {
			a.dead(letter, value)
		}
		return nil
	}
	if _, err := a.decoder.ReadToken(); err != nil {
		return err
	}
	for {
		switch a.decoder.PeekKind() {
		case jsontext.KindEndArray, jsontext.KindInvalid:
			_, err := a.decoder.ReadToken()
			return err
		}
		if err := read(); err != nil {
			return err
		}
	}
}

// member reads a member of the answer. Listings of a second classifiedLeads
// count on from the first: nothing of either is lost.
func (a *answer) member(name string) error {
	if name == "classifiedLeads" {
		return a.elements(flatten.DeadLetter{Listing: -1, Response: -1, Reason: reasonListings}, a.readListing)
	}
	value, deep, err := a.value()
	if err == nil && !deep {
		a.visitor.announced(name, value)
	}
	return err
}

// readListing reads a ClassifiedLead.
func (a *answer) readListing() error {
	listing := a.items
	a.items++
	if a.decoder.PeekKind() != jsontext.KindBeginObject {
		value, _, err := a.value()
		if err == nil {
			a.dead(flatten.DeadLetter{Listing: listing, Response: -1, Reason: reasonListing}, value)
		}
		return err
	}
	a.visitor.openListing()
	response := -1 // counts on if responses is there twice
	err := a.members(func(name string) error {
		letter := flatten.DeadLetter{Listing: listing, Response: -1, Reason: reasonResponses}
		if name == "responses" {
			return a.elements(letter, func() error {
				response++
				return a.readLead(listing, response)
			})
		}
		value, deep, err := a.value()
		switch {
		case err != nil:
			return err
		case deep:
			letter.Reason = reasonListingMember
			a.dead(letter, value)
		default:
			a.visitor.listed(name, value)
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
	value, deep, err := a.value()
	if err != nil {
		return err
	}
	letter := flatten.DeadLetter{Listing: listing, Response: response}
	switch {
	case deep:
		letter.Reason = reasonLeadDepth
	case value[0] != '{':
		letter.Reason = reasonLead
	default:
		a.visitor.lead(value)
		return nil
	}
	a.dead(letter, value)
	return nil
}

func (a *answer) dead(letter flatten.DeadLetter, raw string) {
	letter.Raw = []byte(raw)
	a.visitor.dead(letter)
}
