package simulator

import (
	"bufio"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// adminPath is where other processes see and change the simulator. It is no part
// of the API, is counted nowhere, and asks for no token:
//
//	GET  /_sim/stats                               Stats
//	GET  /_sim/forbidden                           []string
//	GET  /_sim/exchanges                           []Exchange
//	GET  /_sim/world                               version, range, now, number of listings
//	GET  /_sim/truth?from&to[&all=true][&version]  Leads as NDJSON; without bounds, the range
//	POST /_sim/respond?lead=1&lead=2               also message, change, rename
//	POST /_sim/end-listing?item=ID                 also relist, reactivate
//	POST /_sim/add-leads?n&from&to
//	POST /_sim/fail-second?time                    also heal, without time for all
//	POST /_sim/outage?on=true
//	POST /_sim/faults?set=350000=0.08,short=0.05
//	POST /_sim/revoke-tokens                       also reset-stats, churn-step, client-restarted
//	POST /_sim/skew?by=90s
//
// Times are RFC 3339. Posts answer with the version of the world afterwards.
const adminPath = "/_sim/"

func (s *Server) adminRoutes() {
	get := func(name string, answer func() any) {
		s.mux.HandleFunc("GET "+adminPath+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", jsonType)
			_ = json.NewEncoder(w).Encode(answer())
		})
	}
	get("stats", func() any { return s.Stats() })
	get("forbidden", func() any { return append([]string{}, s.Forbidden()...) })
	get("exchanges", func() any { return append([]Exchange{}, s.Exchanges()...) })
	get("world", func() any { return s.worldInfo(nil) })
	s.mux.HandleFunc("GET "+adminPath+"truth", s.adminTruth)

	post := func(name string, act func(p adminParams) (map[string]any, error)) {
		s.mux.HandleFunc("POST "+adminPath+name, func(w http.ResponseWriter, r *http.Request) {
			more, err := act(adminParams{r})
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", jsonType)
			_ = json.NewEncoder(w).Encode(s.worldInfo(more))
		})
	}
	onLeads := func(act func(...int) error) func(adminParams) (map[string]any, error) {
		return func(p adminParams) (map[string]any, error) {
			leads, err := p.leads()
			if err != nil {
				return nil, err
			}
			return nil, act(leads...)
		}
	}
	post("respond", onLeads(s.Respond))
	post("message", onLeads(s.AddMessage))
	post("change", onLeads(s.Change))
	post("rename", onLeads(s.RenameBuyer))
	post("end-listing", func(p adminParams) (map[string]any, error) { return nil, s.EndListing(p.get("item")) })
	post("reactivate", func(p adminParams) (map[string]any, error) { return nil, s.Reactivate(p.get("item")) })
	post("relist", func(p adminParams) (map[string]any, error) {
		id, err := s.Relist(p.get("item"))
		return map[string]any{"item": id}, err
	})
	post("add-leads", s.adminAddLeads)
	post("fail-second", func(p adminParams) (map[string]any, error) {
		t, err := p.time("time", time.Time{})
		if err == nil {
			s.FailSecond(t)
		}
		return nil, err
	})
	post("heal", func(p adminParams) (map[string]any, error) {
		if p.get("time") == "" {
			s.HealAll()
			return nil, nil
		}
		t, err := p.time("time", time.Time{})
		s.Heal(t)
		return nil, err
	})
	post("outage", func(p adminParams) (map[string]any, error) {
		on, err := strconv.ParseBool(p.get("on"))
		if err == nil {
			s.SetOutage(on)
		}
		return nil, err
	})
	post("faults", func(p adminParams) (map[string]any, error) {
		f, err := ParseFaults(p.get("set"))
		if err == nil {
			s.SetFaults(f)
		}
		return nil, err
	})
	post("skew", func(p adminParams) (map[string]any, error) {
		d, err := time.ParseDuration(p.get("by"))
		if err == nil {
			s.SetSkew(d)
		}
		return nil, err
	})
	simple := func(act func()) func(adminParams) (map[string]any, error) {
		return func(adminParams) (map[string]any, error) { act(); return nil, nil }
	}
	post("revoke-tokens", simple(s.RevokeTokens))
	post("reset-stats", simple(s.ResetStats))
	post("churn-step", simple(s.ChurnStep))
	post("client-restarted", simple(s.ClientRestarted))
}

// worldInfo is the state of the world, with more fields.
func (s *Server) worldInfo(more map[string]any) map[string]any {
	s.world.mu.RLock()
	leads, listings := s.world.known(), s.world.gen.listings+len(s.world.relists)
	s.world.mu.RUnlock()
	info := map[string]any{
		"version": s.Version(), "now": s.Now(), "from": s.cfg.From, "to": s.cfg.To, "marketplace": s.cfg.Marketplace,
		"leads": leads, "listings": listings, "faults": s.faults(),
	}
	for k, v := range more {
		info[k] = v
	}
	return info
}

func (s *Server) adminAddLeads(p adminParams) (map[string]any, error) {
	n, err := strconv.Atoi(p.get("n"))
	if err != nil {
		return nil, fmt.Errorf("n: %w", err)
	}
	from, err := p.time("from", s.cfg.From)
	if err != nil {
		return nil, err
	}
	to, err := p.time("to", s.cfg.To)
	if err != nil {
		return nil, err
	}
	first, err := s.AddLeads(n, from, to)
	return map[string]any{"first": first}, err
}

func (s *Server) adminTruth(w http.ResponseWriter, r *http.Request) {
	p := adminParams{r}
	from, err := p.time("from", s.cfg.From)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	to, err := p.time("to", s.cfg.To)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	version := s.Version()
	if text := p.get("version"); text != "" {
		if version, err = strconv.ParseUint(text, 10, 64); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	var leads iter.Seq[Lead]
	if p.get("all") == "true" {
		leads = s.AllTruthAt(version, window.New(from, to))
	} else {
		leads = s.TruthAt(version, window.New(from, to))
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := bufio.NewWriterSize(w, 64<<10)
	lines := json.NewEncoder(out)
	for lead := range leads {
		if lines.Encode(lead) != nil {
			return // the client went away
		}
	}
	_ = out.Flush()
}

// adminParams reads the parameters of an admin request.
type adminParams struct{ r *http.Request }

func (p adminParams) get(name string) string { return p.r.FormValue(name) }

func (p adminParams) time(name string, otherwise time.Time) (time.Time, error) {
	text := p.get(name)
	if text == "" {
		if otherwise.IsZero() {
			return otherwise, fmt.Errorf("%s is missing", name)
		}
		return otherwise, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	return t.UTC(), nil
}

func (p adminParams) leads() ([]int, error) {
	p.get("lead") // parses the form
	var leads []int
	for _, text := range p.r.Form["lead"] {
		i, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("lead: %w", err)
		}
		leads = append(leads, i)
	}
	return leads, nil
}
