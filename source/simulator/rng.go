package simulator

import "math/bits"

// aspect separates the random choices made for one thing: each aspect of a lead
// can be computed without the others, and adding one does not change the rest.
type aspect uint64

const (
	aspectTime aspect = iota + 1
	aspectKind
	aspectListing
	aspectBuyer
	aspectContact
	aspectText
	aspectDetail
	aspectStatus
	aspectMessages
	aspectOdd
	aspectUndated
	aspectDead
	aspectPerson
	aspectTitle
	aspectLate
	aspectChurn
	aspectFault
	aspectToken
	aspectAnswer
	aspectID
)

// rng is a splitmix64 generator: two words of arithmetic a draw, and any seed is
// as good as another.
type rng uint64

// newRNG returns the generator for one aspect of the n-th thing.
func newRNG(seed uint64, a aspect, n uint64) rng {
	return rng(scramble(scramble(seed^uint64(a)*0x9e3779b97f4a7c15) + n))
}

func scramble(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *rng) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	return scramble(uint64(*r))
}

// below returns a number from 0 to n-1; n must be positive.
func (r *rng) below(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// float returns a number from 0 to below 1.
func (r *rng) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// chance is true in a share p of draws.
func (r *rng) chance(p float64) bool { return r.float() < p }

func pick[T any](r *rng, from []T) T { return from[r.below(len(from))] }
