package pipeline_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// enquiry is one lead as the API shows it now.
type enquiry struct {
	at           time.Time
	item         string
	user, text   string
	status       string
	delisted     bool
	conversation int // messages
}

// seller is an API whose leads change.
type seller struct {
	mu      sync.Mutex
	leads   []*enquiry
	fails   func(w window.Window) error
	asked   []window.Window
	refused int // requests that reach into the future
}

// enquire adds a lead submitted now.
func (s *seller) enquire(item, user, text string) *enquiry {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &enquiry{at: time.Now().UTC().Truncate(time.Second), item: item, user: user, text: text, status: "NEW"}
	s.leads = append(s.leads, e)
	return e
}

// change changes a lead, under the lock.
func (s *seller) change(e *enquiry, how func(*enquiry)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(e)
}

func (s *seller) failing(fails func(w window.Window) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = fails
}

func (s *seller) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func (s *seller) Fetch(ctx context.Context, w window.Window, q journal.Query) (*journal.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.asked = append(s.asked, w)
	if w.To.After(time.Now()) {
		s.refused++
		return nil, &fetch.RefusedError{Window: w, Err: errors.New("352004")}
	}
	if s.fails != nil {
		if err := s.fails(w); err != nil {
			return nil, err
		}
	}
	body, leads := s.answer(w, q)
	return &journal.Page{
		Query: q, Window: w, Leads: leads, TotalLeads: &leads,
		Received: time.Now().UTC().Truncate(time.Millisecond), Body: body,
	}, nil
}

type (
	answer struct {
		Listings   []listing `json:"classifiedLeads"`
		TotalLeads int       `json:"totalLeads"`
	}
	listing struct {
		Item      string     `json:"itemId"`
		Responses []response `json:"responses"`
	}
	response struct {
		Submitted string   `json:"submittedTime"`
		User      string   `json:"userId"`
		Text      string   `json:"additionalInformation"`
		Status    string   `json:"leadStatus"`
		Messages  exchange `json:"memberMessage"`
	}
	exchange struct {
		Messages []message `json:"memberMessageExchange"`
	}
	message struct {
		Response string `json:"response"`
	}
)

func (s *seller) answer(w window.Window, q journal.Query) (body []byte, leads int) {
	var a answer
	for _, e := range s.leads {
		if e.delisted || !w.Contains(e.at) || q.Item != "" && q.Item != e.item {
			continue
		}
		i := slices.IndexFunc(a.Listings, func(l listing) bool { return l.Item == e.item })
		if i < 0 {
			i = len(a.Listings)
			a.Listings = append(a.Listings, listing{Item: e.item})
		}
		r := response{Submitted: e.at.Format(time.RFC3339), User: e.user, Text: e.text, Status: e.status}
		for range e.conversation {
			r.Messages.Messages = append(r.Messages.Messages, message{"an answer"})
		}
		a.Listings[i].Responses = append(a.Listings[i].Responses, r)
		a.TotalLeads++
	}
	var compressed bytes.Buffer
	gz, _ := gzip.NewWriterLevel(&compressed, gzip.NoCompression) // a level that there is
	_ = json.NewEncoder(gz).Encode(a)                             // to memory
	_ = gz.Close()
	return compressed.Bytes(), a.TotalLeads
}
