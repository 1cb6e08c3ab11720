package journal

// restoreBegins puts beginnings that are lost back where pages need them: what a
// page means depends on whether its batch is a stream. A stream, and a batch that
// was taken up again, say their beginning more than once, and one of the others
// stands in for the lost one.
func (s *Salvage) restoreBegins() {
	others := make(map[string]*Begin)
	for r := range s.Records() {
		if r.Begin != nil && others[r.Begin.ID] == nil {
			others[r.Begin.ID] = r.Begin
		}
	}
	begun := make(map[string]bool)
	var lost *piece // the last record before that may have been a beginning
	for _, g := range s.segments {
		for i := range g.pieces {
			p := &g.pieces[i]
			switch r := p.rec; {
			case r.Begin != nil:
				begun[r.Begin.ID] = true
			case r.Lost != nil && p.frame.kind == 0 && (r.Lost.Kind == "" || r.Lost.Kind == kindBegin.word()):
				lost = p
			}
			id := batchOf(p.rec)
			if id == "" || begun[id] {
				continue
			}
			begun[id] = true
			if other := others[id]; other != nil && lost != nil {
				s.restored(lost, *other)
				lost = nil
			}
		}
	}
}

// batchOf returns the id of the batch whose beginning a record needs before it.
func batchOf(r Record) string {
	switch {
	case r.Page != nil:
		return r.Page.Batch
	case r.Gap != nil:
		return r.Gap.Batch
	case r.Poll != nil:
		return r.Poll.Batch
	case r.Lost != nil && r.Lost.Page != nil:
		return r.Lost.Page.Batch
	}
	return ""
}

// restored makes the lost record one that stands in for the beginning. It stays
// lost: what is not known to have been the beginning may have been something else.
func (s *Salvage) restored(p *piece, b Begin) {
	lost := *p.rec.Lost
	lost.Begin = &b
	p.rec.Lost, p.rec.Begin = &lost, &b
	for i := range s.Lost {
		if s.Lost[i].Seq == p.rec.Seq {
			s.Lost[i] = p.rec
		}
	}
}
