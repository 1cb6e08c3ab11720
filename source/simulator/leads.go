package simulator

import (
	"net/http"
	"strconv"
	"time"
)

// leadsEndpoint answers requests for leads, of all listings or of one. What the
// reference forbids is booked first, whatever the answer; then come, as in life,
// the network's and the gateway's failures, the token, the quota, the request's
// own errors, and at last the API's.
func (s *Server) leadsEndpoint(w http.ResponseWriter, r *http.Request) {
	number := s.requests.Add(1) - 1
	now := s.Now()
	item := r.PathValue("item")
	byItem := r.URL.Path != resource
	endpoint := "/classified_lead"
	if byItem {
		endpoint += "/{itemId}"
	}
	s.books.request(r.Method + " " + endpoint)

	x := &exchange{
		Exchange: Exchange{Number: number, Time: now, Method: r.Method, Request: r.URL.RequestURI()},
		s:        s, w: w, r: r, gzip: acceptsGzip(r),
	}
	defer x.book()

	if r.Method != http.MethodGet {
		x.forbid("only GET is allowed")
		x.refuse(strconv.Itoa(errNotFound.ErrorID), errNotFound)
		return
	}
	if early, forbidden := s.limits.tooEarly(x.Request, time.Now()); forbidden {
		x.forbid("call before the Retry-After of a 429 is over")
	} else if early {
		s.books.count(func(st *Stats) { st.EarlyCalls++ })
	}
	marketplace, marketplaceOK, violations := readHeaders(r)
	x.forbid(violations...)
	q, errors, violations := readQuery(r, item, byItem, now)
	x.forbid(violations...)
	x.From, x.To = q.from, q.to
	t, refusal, violations := s.authorize(r, true)
	x.forbid(violations...)

	fault := s.drawFault(number)
	if !x.slow(fault) || x.network(fault) {
		return
	}
	if fault.is(faultRevoke) && refusal == nil {
		s.revoke(t)
		refusal = &errInvalidToken
	}
	if refusal != nil {
		s.unauthorized(t, r)
		x.refuse(strconv.Itoa(refusal.ErrorID), *refusal)
		return
	}
	if !s.limits.call(now, s.cfg.DailyQuota) {
		x.refuse("quota", errTooMany)
		return
	}
	s.books.count(func(st *Stats) { st.Calls++ })
	if x.tooMany(fault) {
		return
	}
	if !marketplaceOK {
		x.refuse(strconv.Itoa(errBadRequest.ErrorID), errBadRequest.with("X-EBAY-C-MARKETPLACE-ID", marketplace))
		return
	}
	if byItem && len(errors) == 0 {
		listing, ok := s.world.listingByID(item)
		if !ok {
			x.refuse(strconv.Itoa(errItemID), leadsError(errItemID, "itemId", item))
			return
		}
		q.listing = listing
	}
	if len(errors) > 0 {
		x.refuse(strconv.Itoa(errors[0].ErrorID), errors...)
		return
	}
	if marketplace != s.cfg.Marketplace {
		q.selection.from, q.selection.to = 0, -1 // the leads are elsewhere
	}
	x.answer(q, fault)
}

// revoke ends one token.
func (s *Server) revoke(t *token) {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	t.revoked = true
}

// FailSecond makes every request whose window holds the second of t fail with
// 350000, until it is healed.
func (s *Server) FailSecond(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing[t.Unix()] = struct{}{}
}

// Heal ends FailSecond for the second of t.
func (s *Server) Heal(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failing, t.Unix())
}

// HealAll ends FailSecond for all seconds.
func (s *Server) HealAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.failing)
}

// fails reports whether a second of the range is one that fails.
func (s *Server) fails(from, to int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for second := range s.failing {
		if from <= second && second <= to {
			return true
		}
	}
	return false
}

// SetOutage makes every endpoint reset its connections, or ends that.
func (s *Server) SetOutage(on bool) { s.down.Store(on) }

// SetFaults replaces the faults from the next request on. Faults that ParseFaults
// would refuse are the caller's mistake.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = f
	s.faultSeed = s.cfg.Seed
	if f.Random {
		s.faultSeed = uint64(time.Now().UnixNano())
	}
}

func (s *Server) faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}
