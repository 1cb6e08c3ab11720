package twin

import (
	"io"
	"math"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Inspect does what flatten.Inspector does.
func Inspect(i flatten.Inspector, json io.Reader) (flatten.Inspection, error) {
	v := inspector{asked: i.Asked}
	items, leads, err := readAnswer(json, &v)
	if err != nil {
		return flatten.Inspection{}, err
	}
	v.Items, v.Leads = items, leads
	return v.Inspection, nil
}

// inspector is the visitor of Inspect.
type inspector struct {
	flatten.Inspection
	asked window.Window
}

func (v *inspector) announced(name, value string) {
	switch name {
	case "totalItems":
		announce(&v.TotalItems, value)
	case "totalLeads":
		announce(&v.TotalLeads, value)
	case "errors":
		v.Errors = appendMessages(v.Errors, value)
	case "warnings":
		v.Warnings = appendMessages(v.Warnings, value)
	}
}

// announce reads a total, unless there was one before.
func announce(total **int, value string) {
	if *total != nil {
		return
	}
	if n, ok := integerOf(value); ok && n >= 0 && n <= math.MaxInt {
		count := int(n)
		*total = &count
	}
}

func (v *inspector) lead(text string) {
	submitted := submittedTime(text)
	if !submitted.Valid || !v.asked.Empty() && stray(v.asked, submitted.Value) {
		v.Undated++
	}
}

func (v *inspector) openListing()              {}
func (v *inspector) listed(_, _ string)        {}
func (v *inspector) closeListing()             {}
func (v *inspector) dead(_ flatten.DeadLetter) {}
