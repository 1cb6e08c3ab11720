package kafkatest

import (
	"errors"
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// fake is kfake with its data on disk, so that it can be stopped and started.
type fake struct {
	dir     string
	ports   []int
	cluster *kfake.Cluster
}

func newFake() (*fake, error) {
	dir, err := os.MkdirTemp("", "leads-etl-kfake-")
	if err != nil {
		return nil, err
	}
	f := &fake{dir: dir}
	if err := f.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	for _, addr := range f.brokers() {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, err
		}
		f.ports = append(f.ports, n)
	}
	return f, nil
}

func (f *fake) brokers() []string { return f.cluster.ListenAddrs() }

func (f *fake) start() error {
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.DataDir(f.dir), kfake.SyncWrites()}
	if f.ports != nil {
		options = append(options, kfake.Ports(f.ports...))
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		return err
	}
	f.cluster = cluster
	return nil
}

func (f *fake) stop() {
	if f.cluster != nil {
		f.cluster.Close()
		f.cluster = nil
	}
}

func (f *fake) remove() error {
	f.stop()
	return os.RemoveAll(f.dir)
}

// Fake returns a kfake cluster of three brokers, in memory, for tests that make
// it fail (Fault, ControlKey, MoveTopicPartition), and the same as a Kafka to
// make topics and read with. It ends with the test and cannot be stopped.
func Fake(t testing.TB) (*Kafka, *kfake.Cluster) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return &Kafka{Brokers: cluster.ListenAddrs(), compact: cluster.Compact}, cluster
}
