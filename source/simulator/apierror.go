package simulator

import (
	"encoding/json"
	"net/http"
)

// parameter is one of the parameters of an error.
type parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// apiError is an error in eBay's common form.
type apiError struct {
	status int

	ErrorID     int         `json:"errorId"`
	Domain      string      `json:"domain"`
	SubDomain   string      `json:"subDomain,omitempty"`
	Category    string      `json:"category"`
	Message     string      `json:"message"`
	LongMessage string      `json:"longMessage,omitempty"`
	InputRefIDs []string    `json:"inputRefIds,omitempty"`
	Parameters  []parameter `json:"parameters,omitempty"`
}

// The errors of the Leads API, with the reference's words.
const (
	errItemID   = 352002
	errTime     = 352003
	errFuture   = 352004
	errRange    = 352005
	errStatus   = 352006
	errMessages = 352007
	errInternal = 350000
)

var leadsErrors = map[int]string{
	errItemID:   "Invalid Item ID. Please provide a valid item ID.",
	errTime:     "Invalid UTC Time. Please provide a valid UTC time in the format YYYY-MM-DDTHH:MM:SSZ.",
	errFuture:   "Invalid Date. Date has to be in the past.",
	errRange:    "Invalid Date Range. End time should be greater than start time.",
	errStatus:   "Invalid status. Please provide a valid status value (Answered/Unanswered).",
	errMessages: "Invalid value for includeMessages. Please provide a valid boolean value (true/false).",
	errInternal: "There was a problem with an eBay internal system or process. Contact eBay developer support for assistance.",
}

// leadsError is one of the Leads API's request errors, about a parameter.
func leadsError(id int, name, value string) apiError {
	e := apiError{
		status: http.StatusBadRequest, ErrorID: id, Domain: "API_LEADS", SubDomain: "Selling", Category: "REQUEST",
		Message: leadsErrors[id], LongMessage: leadsErrors[id],
	}
	if name != "" {
		e.Parameters = []parameter{{name, value}}
	}
	return e
}

func internalError(status int) apiError {
	if status == 0 {
		status = http.StatusInternalServerError
	}
	return apiError{
		status: status, ErrorID: errInternal, Domain: "API_LEADS", SubDomain: "Selling", Category: "APPLICATION",
		Message: leadsErrors[errInternal], LongMessage: leadsErrors[errInternal],
	}
}

// Errors of eBay's gateway, which all its APIs share.
var (
	errInvalidToken = apiError{status: http.StatusUnauthorized, ErrorID: 1001, Domain: "OAuth", Category: "REQUEST",
		Message: "Invalid access token", LongMessage: "Invalid access token. Check the value of the Authorization HTTP request header."}
	errNoScope = apiError{status: http.StatusForbidden, ErrorID: 1100, Domain: "ACCESS", Category: "REQUEST",
		Message: "Access denied", LongMessage: "Insufficient permissions to fulfill the request."}
	errTooMany = apiError{status: http.StatusTooManyRequests, ErrorID: 2001, Domain: "ACCESS", Category: "REQUEST",
		Message: "Too many requests.", LongMessage: "The request limit has been reached for the resource."}
	errNotFound = apiError{status: http.StatusNotFound, ErrorID: 2002, Domain: "ACCESS", Category: "REQUEST",
		Message: "Resource not found", LongMessage: "The resource is not found. Check the URI of the request."}
	errBadRequest = apiError{status: http.StatusBadRequest, ErrorID: 2004, Domain: "ACCESS", Category: "REQUEST",
		Message: "Invalid request", LongMessage: "The request has errors. For help, see the documentation for this API."}
)

// with returns the error with a parameter named.
func (e apiError) with(name, value string) apiError {
	e.Parameters = []parameter{{name, value}}
	return e
}

// errorBody is the body of an answer that has only errors.
func errorBody(errors []apiError) []byte {
	b, err := json.Marshal(map[string][]apiError{"errors": errors})
	if err != nil {
		panic(err) // strings and numbers only
	}
	return b
}

// warning comes with answers that are right.
var warning = apiError{ErrorID: 350100, Domain: "API_LEADS", Category: "REQUEST",
	Message: "Some data may be delayed.", LongMessage: "Leads of the last minutes may not be complete yet.",
	Parameters: []parameter{{"delay", "PT5M"}}}
