package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// timeLayout is the reference's only format of times.
const timeLayout = "2006-01-02T15:04:05Z"

// parseTime reads a time in exactly the reference's format.
func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse(timeLayout, s)
	// Parse lets fractions and single digits pass.
	return t, err == nil && t.Format(timeLayout) == s
}

// query is a request for leads, read and checked.
type query struct {
	from, to time.Time
	messages bool
	selection
}

var leadsParameters = []string{"startTime", "endTime", "includeMessages", "status"}

// readQuery reads a request's parameters at the given time. Errors are what the
// API answers; violations are what the reference forbids, for the books.
func readQuery(r *http.Request, item string, byItem bool, now time.Time) (q query, errors []apiError, violations []string) {
	q = query{messages: byItem}
	refuse := func(id int, name, value string) {
		errors = append(errors, leadsError(id, name, value))
		violations = append(violations, fmt.Sprintf("%d: %s=%q", id, name, value))
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		errors = append(errors, errBadRequest)
		violations = append(violations, "query does not parse")
	}
	for name, v := range values {
		if !slices.Contains(leadsParameters, name) {
			violations = append(violations, fmt.Sprintf("unknown parameter %q", name))
		} else if len(v) != 1 {
			violations = append(violations, fmt.Sprintf("parameter %q is there %d times", name, len(v)))
		}
	}
	if byItem && !allDigits(item) {
		refuse(errItemID, "itemId", item)
	}
	bound := func(name string) (t time.Time, ok bool) {
		if !values.Has(name) {
			return t, false
		}
		value := values.Get(name)
		if t, ok = parseTime(value); !ok {
			refuse(errTime, name, value)
		} else if t.After(now) {
			refuse(errFuture, name, value)
		}
		return t, ok
	}
	var fromOK, toOK bool
	q.from, fromOK = bound("startTime")
	q.to, toOK = bound("endTime")
	if fromOK && toOK && !q.to.After(q.from) {
		refuse(errRange, "endTime", values.Get("endTime"))
	}
	if values.Has("includeMessages") {
		switch value := values.Get("includeMessages"); value {
		case "true", "false":
			q.messages = value == "true"
		default:
			refuse(errMessages, "includeMessages", value)
		}
	}
	if values.Has("status") {
		switch value := values.Get("status"); value {
		case "Answered":
			q.answered = true
		case "Unanswered":
			q.unanswered = true
		default:
			refuse(errStatus, "status", value)
		}
	}
	// A lead is not shown before its time, so there is always an end.
	q.selection.from, q.selection.to, q.listing = -1<<62, now.Unix(), -1
	if fromOK {
		q.selection.from = q.from.Unix()
	}
	if toOK {
		q.selection.to = min(q.to.Unix(), now.Unix())
	}
	slices.Sort(violations)
	return q, errors, violations
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// readHeaders checks the request's headers but for the token. ok says that the
// marketplace is one.
func readHeaders(r *http.Request) (marketplace string, ok bool, violations []string) {
	marketplace = r.Header.Get("X-EBAY-C-MARKETPLACE-ID")
	ok = slices.Contains(Marketplaces, marketplace)
	if !ok {
		violations = append(violations, fmt.Sprintf("header X-EBAY-C-MARKETPLACE-ID is %q", marketplace))
	}
	if r.ContentLength != 0 {
		violations = append(violations, "GET with a body")
	}
	return marketplace, ok, violations
}

// acceptsGzip reports whether Accept-Encoding allows gzip.
func acceptsGzip(r *http.Request) bool {
	for entry := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(entry), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			quality = strings.ReplaceAll(quality, " ", "")
			return quality != "q=0" && quality != "q=0.0"
		}
	}
	return false
}
