package sinktest

import (
	"errors"
	"sync"
)

// FailingSteps lets what changes a destination fail from a step on. Its methods may
// be called by several transactions at once.
type FailingSteps struct {
	mu          sync.Mutex
	from, tried int
}

// Step is tried before each change; its error is the change's.
func (f *FailingSteps) Step(string, string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tried++
	if f.from > 0 && f.tried >= f.from {
		return errors.New("a step failed for the test")
	}
	return nil
}

// From lets the nth step from now on fail, and all after it; none if n is 0.
func (f *FailingSteps) From(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.from, f.tried = n, 0
}

// Tried says how many steps were tried since From was called.
func (f *FailingSteps) Tried() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tried
}
