package acceptance

import "testing"

func TestSmoke(t *testing.T) {
	w := newWorld(t, twoMonths(t, everyFault))
	w.kafkaOn, w.parquetOn = false, false
	r := w.mustRun(0, append(between(w.sim.Range()), "--verbose")...)
	want := expect(w.sim.Truth(w.sim.Range()))
	w.wantAll(want)
	w.wantNoForbiddenRequests()
	w.wantNoTemporaryFiles()
	wantNoPersonIn(t, r.output(), want)
	t.Logf("%s", r.stdout)
	t.Logf("%.3000s", r.stderr)
}
