package txn_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leads-etl/leads-etl/sinks/kafka/internal/attempt"
	"github.com/leads-etl/leads-etl/sinks/kafka/internal/txn"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
)

// The API keys of the requests that a transaction is made of.
const (
	produce        = int16(kmsg.Produce)
	metadata       = int16(kmsg.Metadata)
	coordinator    = int16(kmsg.FindCoordinator)
	initProducerID = int16(kmsg.InitProducerID)
	addPartitions  = int16(kmsg.AddPartitionsToTxn)
	endTxn         = int16(kmsg.EndTxn)
)

func verdict(t *testing.T, err error) attempt.Verdict {
	t.Helper()
	e, ok := errors.AsType[*txn.Error](err)
	if !ok {
		t.Fatalf("not a request's error: %v", err)
	}
	return e.Verdict
}

// TestLostMessages loses requests and answers at every step: the broker has, or
// has not, done what it was asked, and the producer cannot know.
func TestLostMessages(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		for _, key := range []int16{produce, coordinator, addPartitions, endTxn} {
			for _, answer := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/answer=%t", kmsg.Key(key).Name(), answer), func(t *testing.T) {
					r := newRig(t, k, func(c *txn.Config) { c.BatchRecords = 20 })
					r.transact(t, 0, 10)
					if answer {
						r.wire.DropAnswers(key, 1, 2)
					} else {
						r.wire.DropRequests(key, 1, 2)
					}
					r.transact(t, 10, 300)
					r.transact(t, 310, 10)
					r.expect(t, 320)
				})
			}
		}
	})
}

func TestLostInit(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k)
		r.wire.DropAnswers(initProducerID, 0, 2)
		r.start(t)
		r.transact(t, 0, 30)
		if err := r.write(t.Context(), 1000, 30); err != nil {
			t.Fatal(err)
		}
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.wire.DropAnswers(endTxn, 0, 2)
		if err := r.Abort(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.wire.DropAnswers(initProducerID, 0, 2)
		r.transact(t, 30, 30)
		r.expect(t, 60)
	})
}

// TestRetriedErrors gives each error that is to be retried a few times, at the
// steps where brokers give it.
func TestRetriedErrors(t *testing.T) {
	for key, codes := range map[kmsg.Key][]*kerr.Error{
		kmsg.InitProducerID: {
			kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator, kerr.ConcurrentTransactions, kerr.BrokerNotAvailable,
		},
		kmsg.FindCoordinator:    {kerr.CoordinatorNotAvailable},
		kmsg.AddPartitionsToTxn: {kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.UnknownTopicOrPartition},
		kmsg.Produce: {
			kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.UnknownTopicOrPartition, kerr.RequestTimedOut,
			kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend, kerr.KafkaStorageError, kerr.CorruptMessage,
		},
		kmsg.EndTxn: {kerr.CoordinatorNotAvailable, kerr.NotCoordinator, kerr.CoordinatorLoadInProgress, kerr.ConcurrentTransactions},
	} {
		for _, code := range codes {
			t.Run(key.Name()+"/"+code.Message, func(t *testing.T) {
				t.Parallel()
				k, cluster := kafkatest.Fake(t)
				r := newRig(t, k)
				r.transact(t, 0, 10)
				fault := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: code, Count: 3})
				if key == kmsg.InitProducerID {
					r.start(t)
				}
				r.transact(t, 10, 50)
				r.transact(t, 60, 10)
				r.expect(t, 70)
				if fault.Hits() != 3 {
					t.Errorf("the broker answered %s %d times, not 3", code.Message, fault.Hits())
				}
			})
		}
	}
}

// TestStartsOver meets errors after which a transaction is lost: nothing of it
// is visible, and after Abort the next one is whole.
func TestStartsOver(t *testing.T) {
	for key, codes := range map[kmsg.Key][]*kerr.Error{
		kmsg.AddPartitionsToTxn: {kerr.InvalidProducerIDMapping, kerr.InvalidTxnState, kerr.UnknownServerError},
		kmsg.Produce:            {kerr.OutOfOrderSequenceNumber, kerr.DuplicateSequenceNumber, kerr.UnknownProducerID, kerr.TransactionAbortable},
		kmsg.EndTxn:             {kerr.InvalidTxnState, kerr.InvalidProducerIDMapping},
	} {
		for _, code := range codes {
			t.Run(key.Name()+"/"+code.Message, func(t *testing.T) {
				t.Parallel()
				k, cluster := kafkatest.Fake(t)
				r := newRig(t, k)
				r.transact(t, 0, 10)
				cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: code})
				err := r.write(t.Context(), 1000, 50)
				if err == nil {
					err = r.commit(t.Context())
				}
				if verdict(t, err) != attempt.StartOver {
					t.Fatalf("verdict %d: %v", verdict(t, err), err)
				}
				if again := r.Add(t.Context(), r.topic, 0, record(2000)); !errors.Is(again, err) {
					t.Errorf("adding to a lost transaction: %v", again)
				}
				if err := r.Abort(t.Context()); err != nil {
					t.Fatal(err)
				}
				r.transact(t, 10, 50)
				r.expect(t, 60)
			})
		}
	}
}

func TestPermanentErrors(t *testing.T) {
	for key, code := range map[kmsg.Key]*kerr.Error{
		kmsg.InitProducerID:     kerr.TransactionalIDAuthorizationFailed,
		kmsg.AddPartitionsToTxn: kerr.TopicAuthorizationFailed,
		kmsg.Produce:            kerr.InvalidTimestamp,
		kmsg.EndTxn:             kerr.UnsupportedVersion,
	} {
		t.Run(key.Name(), func(t *testing.T) {
			t.Parallel()
			k, cluster := kafkatest.Fake(t)
			r := newRig(t, k)
			cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: code, Count: -1})
			err := r.tryStart(t)
			if err == nil {
				err = r.write(t.Context(), 0, 10)
			}
			if err == nil {
				err = r.commit(t.Context())
			}
			if verdict(t, err) != attempt.Permanent || !errors.Is(err, kafka.Error(code.Code)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestEverythingMoves moves leaders and coordinators in mid-transaction.
func TestEverythingMoves(t *testing.T) {
	k, cluster := kafkatest.Fake(t)
	r := newRig(t, k, func(c *txn.Config) { c.BatchRecords = 10 })
	for round := range 6 {
		if err := r.write(t.Context(), round*100, 50); err != nil {
			t.Fatal(err)
		}
		for partition := range int32(partitions) {
			if err := cluster.MoveTopicPartition(r.topic, partition, (cluster.LeaderFor(r.topic, partition)+1)%3); err != nil {
				t.Fatal(err)
			}
		}
		cluster.RehashCoordinators()
		for i := range 50 {
			n := round*100 + 50 + i
			if err := r.Add(t.Context(), r.topic, n%partitions, record(n)); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r.expect(t, 600)
}

// TestRandomFaults loses messages at random, and after an error that lasts does
// what the sink does: abort, see what is committed, write what is not.
func TestRandomFaults(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 0))
		r := newRig(t, k, func(c *txn.Config) { c.BatchRecords = 10; c.Patience = 50 * time.Millisecond })
		const rounds, each = 25, 60
		keys := []int16{produce, metadata, coordinator, initProducerID, addPartitions, endTxn}
		lost := 0
		for round := 0; round < rounds; {
			for range rng.IntN(3) {
				key := keys[rng.IntN(len(keys))]
				if rng.IntN(2) == 0 {
					r.wire.DropAnswers(key, rng.IntN(4), 1+rng.IntN(4))
				} else {
					r.wire.DropRequests(key, rng.IntN(4), 1+rng.IntN(4))
				}
			}
			err := r.write(t.Context(), round*each, each)
			if err == nil {
				err = r.commit(t.Context())
			}
			if err == nil {
				round++
				continue
			}
			if v := verdict(t, err); v != attempt.Retry && v != attempt.StartOver {
				t.Fatal(err)
			}
			lost++
			// As a sink that is opened anew, if the abort did not go through.
			for err = r.Abort(t.Context()); err != nil; {
				err = r.tryStart(t)
			}
			// The commit may have gone through.
			if committed := kafkatest.ReadCommitted(t, k.Brokers, r.topic); len(committed) == (round+1)*each {
				round++
			}
		}
		t.Logf("%d transactions failed and were settled", lost)
		r.expect(t, rounds*each)
	})
}

func TestPatienceEnds(t *testing.T) {
	k, cluster := kafkatest.Fake(t)
	r := newRig(t, k, func(c *txn.Config) { c.Patience = 50 * time.Millisecond })
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	err := r.write(t.Context(), 0, 10)
	if err == nil {
		err = r.commit(t.Context())
	}
	if verdict(t, err) != attempt.Retry || !errors.Is(err, kafka.NotEnoughReplicas) {
		t.Errorf("%v", err)
	}
}

func TestCancelledWhileTheBrokerIsSilent(t *testing.T) {
	k, cluster := kafkatest.Fake(t)
	r := newRig(t, k, func(c *txn.Config) { c.BufferBytes = 1000; c.BatchRecords = 5 })
	cluster.ControlKey(produce, func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, nil, true // no answer, ever
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(50*time.Millisecond, func() { cancel(enough) })
	if err := r.write(ctx, 1000, 1000); !errors.Is(err, enough) {
		t.Errorf("a blocked Add that was cancelled: %v", err)
	}
	if err := r.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
}
