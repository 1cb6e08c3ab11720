package report

import (
	"math"
	"slices"
)

// Spread is a median between the lowest and the highest.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// SpreadOf is the spread of values; NaN and infinities do not come in. It is
// zero if there is none.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return Spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1]}
}

// Measure takes a figure out of a sample.
type Measure func(Sample) float64

// Rate is leads a second.
func Rate(s Sample) float64 { return divide(float64(s.Leads), s.Seconds) }

// CPUPerLead is CPU time a lead in microseconds.
func CPUPerLead(s Sample) float64 { return divide(s.CPU*1e6, float64(s.Leads)) }

// Seconds is the time of the work.
func Seconds(s Sample) float64 { return s.Seconds }

// Peak is the peak of the resident memory in MB.
func Peak(s Sample) float64 { return s.PeakMB }

// More is a figure of the contender's own.
func More(name string) Measure { return func(s Sample) float64 { return s.More[name] } }

// Relation makes the figure of a row of ours and the peer's.
type Relation func(ours, peer float64) float64

// Times is ours ÷ peer: how many times the peer's.
func Times(ours, peer float64) float64 { return divide(ours, peer) }

// Fewer is peer ÷ ours: how many times less than the peer.
func Fewer(ours, peer float64) float64 { return divide(peer, ours) }

// Share is what of ours the peer does without, in percent.
func Share(ours, peer float64) float64 { return 100 * divide(ours-peer, ours) }

// Apart is by how much the two differ, in percent of the peer.
func Apart(ours, peer float64) float64 { return 100 * math.Abs(divide(ours-peer, peer)) }

func divide(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Fill computes the row's values from the samples; relation is nil where the
// figure is ours alone. It reports whether there are samples of all that the row
// needs.
func (r *Row) Fill(samples map[string][]Sample, measure Measure, relation Relation) bool {
	ours := apply(samples[r.Ours], measure)
	if len(ours) == 0 {
		return false
	}
	r.OursValue = SpreadOf(ours)
	if relation == nil {
		r.Figure = r.OursValue.Median
		return true
	}
	peer := apply(samples[r.Peer], measure)
	if len(peer) == 0 {
		return false
	}
	r.PeerValue = SpreadOf(peer)
	r.Figure = relation(r.OursValue.Median, r.PeerValue.Median)
	var paired []float64
	for i := range min(len(ours), len(peer)) {
		paired = append(paired, relation(ours[i], peer[i]))
	}
	r.Paired = SpreadOf(paired)
	return true
}

func apply(samples []Sample, measure Measure) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = measure(s)
	}
	return values
}
