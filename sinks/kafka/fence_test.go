package kafka

import (
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// TestFencedByAnother opens a second sink with the transactional id of one that
// is at work, at different moments: the first is out for good, says what has
// happened and what to do, and takes nothing back.
func TestFencedByAnother(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 300)
	for name, tc := range map[string]struct {
		// written is whether the first has rows in a transaction when the second
		// comes, sent whether the broker has them.
		written, sent bool
	}{
		"between transactions":     {},
		"before anything was sent": {written: true},
		"amid a transaction":       {written: true, sent: true},
	} {
		t.Run(name, func(t *testing.T) {
			onEachBroker(t, func(t *testing.T, k *kafkatest.Kafka) {
				c := unique(k)
				first := openSink(t, c, quick(new(kafkatest.Wire)))
				mustWrite(t, first, rows[:100], at(1))
				var tx deliver.Transaction
				var err error
				begin := func() {
					if tx, err = first.Begin(t.Context(), deliver.Whole); err == nil {
						err = tx.Write(t.Context(), rows[100:])
					}
				}
				if tc.written {
					if begin(); err != nil {
						t.Fatal(err)
					}
				}
				if tc.sent {
					if err := first.producer.Flush(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				second := openSink(t, c, quick(new(kafkatest.Wire)))
				if !tc.written {
					begin()
				}
				if err == nil {
					_, err = tx.Commit(t.Context(), at(2))
				}
				if tx != nil {
					rollback := tx.Rollback()
					if !k.Real && !isPermanent(err) {
						// kfake looks at the transaction's state before it looks at the epoch.
						err, rollback = rollback, nil
					}
					if rollback != nil {
						t.Errorf("its rollback: %v", rollback)
					}
				}
				wantFenced(t, err, c.TransactionalID)
				_, err = first.Position(t.Context(), deliver.Whole)
				wantFenced(t, err, c.TransactionalID)
				wantFenced(t, write(t.Context(), first, rows[100:], at(2)), c.TransactionalID)
				if err := first.Close(); err != nil {
					t.Errorf("its close: %v", err)
				}
				wantPosition(t, second, at(1))
				mustWrite(t, second, rows[100:], at(2))
				if n := len(readRows(t, k, c.Topic)); n != 300 {
					t.Errorf("%d rows, not 300", n)
				}
			})
		})
	}
}

func wantFenced(t *testing.T, err error, id string) {
	t.Helper()
	if !isPermanent(err) {
		t.Fatalf("the fenced sink goes on: %v", err)
	}
	for _, want := range []string{"another leads-etl with the same transactional id", id, "has taken over", "Stop one of the two"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q: %v", want, err)
		}
	}
}
