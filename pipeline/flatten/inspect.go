package flatten

import (
	"io"
	"math"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Inspection is what an answer says of itself and what it holds.
type Inspection struct {
	// Items counts the listings, Leads the lead responses in all of them, both
	// as they were received: also those that become dead letters.
	Items, Leads int
	// Undated counts the leads whose submitted time is absent, does not fit, or
	// is not one that was asked for.
	Undated int
	// TotalItems and TotalLeads are what the answer announces; nil if it does
	// not, or with something that is no count.
	TotalItems, TotalLeads *int
	// Errors and Warnings are in eBay's common form, the first hundred of each.
	Errors, Warnings []APIMessage
}

// Inspect reads an answer of the API, decompressed, to its end, and reports what
// is in it. It is strict: an answer that ends early, is no JSON, or has
// something behind its end is a *CorruptError. Other errors are those of the
// reader, wrapped.
//
// It counts as Flattener.Page does: Leads is the number of rows, undated rows
// and dead letters with a Response that Page would return of all times. Its
// memory does not grow with the answer.
//
// It reads bodies of HTTP errors as well, which have the same form.
func Inspect(json io.Reader) (Inspection, error) { return Inspector{}.Inspect(json) }

// Inspector inspects answers to a request for a window.
type Inspector struct {
	// Asked is the window that the page will stand for; empty if none was asked
	// for, and then all times are.
	Asked window.Window
}

// Inspect is the function of that name, for a page of the window.
func (i Inspector) Inspect(json io.Reader) (Inspection, error) {
	v := inspector{asked: i.Asked}
	items, leads, err := readAnswer(newStream(json, false, 0), &v)
	if err != nil {
		return Inspection{}, err
	}
	v.Items, v.Leads = items, leads
	return v.Inspection, nil
}

// inspector is the visitor of Inspect. It keeps no view of a value.
type inspector struct {
	Inspection
	asked window.Window
}

func (i *inspector) announced(name string, v value) {
	switch name {
	case "totalItems":
		announce(&i.TotalItems, v)
	case "totalLeads":
		announce(&i.TotalLeads, v)
	case "errors":
		i.Errors = appendMessages(i.Errors, v)
	case "warnings":
		i.Warnings = appendMessages(i.Warnings, v)
	}
}

// announce reads a total, unless there was one before.
func announce(total **int, v value) {
	if *total != nil {
		return
	}
	if n, ok := integerOf(v); ok && n >= 0 && n <= math.MaxInt {
		count := int(n)
		*total = &count
	}
}

func (i *inspector) lead(v value) {
	submitted := submittedTime(v)
	if !submitted.Valid || !i.asked.Empty() && stray(i.asked, submitted.Value) {
		i.Undated++
	}
}

func (*inspector) openListing()         {}
func (*inspector) listed(string, value) {}
func (*inspector) closeListing()        {}
func (*inspector) dead(DeadLetter)      {}
