package kafka

import (
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// observed asks a new observer for the position.
func observed(t *testing.T, c Config) deliver.Position {
	t.Helper()
	o, err := observe(t.Context(), c, testBinding, quiet(), quick(new(kafkatest.Wire)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.Position(t.Context(), deliver.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	return p
}

// An observer sees what is committed, beside a sink that goes on undisturbed.
func TestObserver(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	if p := observed(t, c); p != (deliver.Position{}) {
		t.Errorf("before there is anything: %+v", p)
	}
	if n := k.Partitions(t, c.PositionsTopic); n != 0 {
		t.Errorf("the observer made a topic, with %d partitions", n)
	}
	s := openSink(t, c, quick(new(kafkatest.Wire)))
	leads := sinktest.Leads(sinktest.Day, 0, 30)
	mustWrite(t, s, leads[:10], at(3))
	wantPosition(t, s, at(3)) // waits until the broker has written the commit's markers
	if p := observed(t, c); p != at(3) {
		t.Errorf("%+v, not %+v", p, at(3))
	}
	tx, err := s.Begin(t.Context(), deliver.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Write(t.Context(), leads[10:20]); err != nil {
		t.Fatal(err)
	}
	if p := observed(t, c); p != at(3) {
		t.Errorf("in the middle of a transaction: %+v, not %+v", p, at(3))
	}
	if _, err := tx.Commit(t.Context(), at(5)); err != nil {
		t.Fatalf("the sink was disturbed: %v", err)
	}
	mustWrite(t, s, leads[20:], at(6))
	wantPosition(t, s, at(6))
	if p := observed(t, c); p != at(6) {
		t.Errorf("%+v, not %+v", p, at(6))
	}
}
