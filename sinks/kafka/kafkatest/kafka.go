package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

// addressEnv names a broker to use instead of starting one.
const addressEnv = "LEADS_ETL_TEST_KAFKA"

// Kafka is a broker for tests.
type Kafka struct {
	// Brokers are the addresses of the listener without authentication.
	Brokers []string
	// Real says whether this is Apache Kafka, or something else given by
	// address, and not kfake.
	Real bool
	// Secure are the other listeners; only of brokers that were started here and
	// are real.
	Secure Secure

	process *process
	fake    *fake
	compact func() // kfake's
}

var shared struct {
	sync.Mutex
	kafka *Kafka
	err   error
}

// Broker returns the broker that all tests of the process share. It ends with
// the process, or with Shutdown. Use topics and transactional ids of the test's
// own (Unique).
func Broker(t testing.TB) *Kafka {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.kafka == nil && shared.err == nil {
		if given := os.Getenv(addressEnv); given != "" {
			shared.kafka, shared.err = dial(strings.Split(given, ","))
		} else {
			shared.kafka, shared.err = start(context.Background())
		}
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	shared.kafka.say(t)
	return shared.kafka
}

// Private returns a broker for this test alone, which may stop it. It is
// always started here, whatever LEADS_ETL_TEST_KAFKA says, and ends with the
// test.
func Private(t testing.TB) *Kafka {
	t.Helper()
	k, err := start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.end(); err != nil {
			t.Errorf("ending the broker: %v", err)
		}
	})
	k.say(t)
	return k
}

// Shutdown ends the shared broker, if there is one.
func Shutdown() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.kafka == nil {
		return nil
	}
	err := shared.kafka.end()
	shared.kafka = nil
	return err
}

// Main is the TestMain of packages that test against a broker: it runs the
// tests, ends the shared broker, and fails if a goroutine is left.
func Main(m *testing.M) {
	code := m.Run()
	if err := errors.Join(Shutdown(), goleak.Find()); err != nil {
		fmt.Fprintln(os.Stderr, "after the tests:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Stop ends the broker as kill -9 would; its data stays. The test fails if the
// broker was given by address.
func (k *Kafka) Stop(t testing.TB) {
	t.Helper()
	var err error
	switch {
	case k.process != nil:
		err = k.process.kill()
	case k.fake != nil:
		k.fake.stop()
	default:
		err = errors.New("this broker cannot be stopped: use Private")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Start runs a stopped broker again, with the same addresses and data, and
// returns when it answers.
func (k *Kafka) Start(t testing.TB) {
	t.Helper()
	var err error
	if k.process != nil {
		err = k.process.start(t.Context())
	} else {
		err = k.fake.start()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Restart is Stop and Start.
func (k *Kafka) Restart(t testing.TB) {
	t.Helper()
	k.Stop(t)
	k.Start(t)
}

// Compact sees to it that compacted topics are compacted soon. A real broker
// that was started here is always at it.
func (k *Kafka) Compact() {
	if k.compact != nil {
		k.compact()
	}
}

// start brings up a broker: Apache Kafka if it can be had, else kfake.
func start(ctx context.Context) (*Kafka, error) {
	p, err := newProcess(ctx)
	if err == nil {
		if err = p.start(ctx); err == nil {
			return &Kafka{
				Brokers: []string{address(p.ports.plain)},
				Real:    true,
				Secure: Secure{
					SASL: address(p.ports.sasl), SASLPlain: address(p.ports.saslPlain), TLS: address(p.ports.tls),
					CA: p.certs.ca, ClientCert: p.certs.clientCert, ClientKey: p.certs.clientKey,
				},
				process: p,
			}, nil
		}
		err = errors.Join(err, p.remove())
	}
	if os.Getenv("CI") == "true" {
		return nil, fmt.Errorf("CI needs a real Kafka broker: %w", err)
	}
	fmt.Fprintf(os.Stderr, "kafkatest: no real Kafka, testing against kfake: %v\n", err)
	f, err := newFake()
	if err != nil {
		return nil, err
	}
	return &Kafka{Brokers: f.brokers(), fake: f, compact: func() { f.cluster.Compact() }}, nil
}

func dial(brokers []string) (*Kafka, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := waitReady(ctx, brokers...); err != nil {
		return nil, fmt.Errorf("the broker of %s: %w", addressEnv, err)
	}
	return &Kafka{Brokers: brokers, Real: true}, nil
}

func (k *Kafka) end() error {
	switch {
	case k.process != nil:
		return k.process.remove()
	case k.fake != nil:
		return k.fake.remove()
	default:
		return nil
	}
}

func (k *Kafka) say(t testing.TB) {
	t.Helper()
	switch {
	case k.fake != nil:
		t.Log("kafkatest: kfake, not a real broker, at", k.Brokers)
	case k.process != nil:
		t.Log("kafkatest: Apache Kafka at", k.Brokers)
	default:
		t.Log("kafkatest: the broker given at", k.Brokers)
	}
}

// waitReady returns when the cluster answers and has brokers.
func waitReady(ctx context.Context, brokers ...string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DialTimeout(time.Second))
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		list, err := kadm.NewClient(client).ListBrokers(attempt)
		cancel()
		if err == nil && len(list) > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer from %s: %w", strings.Join(brokers, ", "), errors.Join(ctx.Err(), err))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
