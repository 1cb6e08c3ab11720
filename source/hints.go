package source

import "net/http"

// requestHints are the API's request errors (reference, "REQUEST Errors") and
// what the user can do about each.
var requestHints = map[int64]string{
	352002: "check the item id: it must be a listing of this account on this marketplace",
	352003: "the API did not take the form of a time; please report this as a bug of leads-etl",
	352004: "end the range earlier, and check that this machine's clock is right",
	352005: "the range must end after it begins",
	352006: "set status to Answered or Unanswered, or leave it out",
	352007: "the API did not take the value of include-messages; please report this as a bug of leads-etl",
}

// tokenHints are the codes of RFC 6749, 5.2.
var tokenHints = map[string]string{
	"invalid_client":         "check client-id and client-secret, and that they are of the same environment, production or sandbox",
	"invalid_scope":          "eBay has not given this application the scope sell.leads: the Leads API is a limited release, ask eBay for access",
	"invalid_grant":          "the refresh token has expired, was revoked, or is another application's: let the seller consent again",
	"unauthorized_client":    "this application may not use the grant: try the other value of grant",
	"unsupported_grant_type": "this application may not use the grant: try the other value of grant",
}

const (
	hintLogin     = "the API does not take the token: check that client-id and token-url belong to the environment of api-url"
	hintForbidden = "the token lacks the right: the Leads API is a limited release; ask eBay for the scope sell.leads, and check the marketplace"
	hintRequest   = "check marketplace, items and status: the API does not say which of them it does not take"
	hintNoItem    = "check the item id: eBay knows no such listing of this account, or it has ended"
	hintNotFound  = "check api-url: there is no Leads API"
	hintProxy     = "the proxy wants a login: check HTTPS_PROXY"
	hintRedirect  = "check api-url and token-url, and whether a proxy or a login page stands in the way"
	hintToken     = "check token-url, client-id and client-secret"
)

// hint is what the user can do about a refusal, or "".
func hint(err error) string {
	switch e := known(err).(type) {
	case *requestError:
		return e.hint
	case *RedirectError:
		return hintRedirect
	case *TokenError:
		if text, ok := tokenHints[e.Code]; ok {
			return text
		}
		return hintToken
	case *APIError:
		for _, m := range e.Errors {
			if text, ok := requestHints[m.ID]; ok {
				return text
			}
		}
		switch e.Status {
		case http.StatusBadRequest:
			return hintRequest
		case http.StatusUnauthorized:
			return hintLogin
		case http.StatusForbidden:
			return hintForbidden
		case http.StatusProxyAuthRequired:
			return hintProxy
		case http.StatusNotFound:
			if e.item {
				return hintNoItem
			}
			return hintNotFound
		}
	}
	return ""
}
