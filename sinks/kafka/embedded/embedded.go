// Package embedded is a Kafka broker inside this process, for the demo: kfake,
// with its data in a temporary folder so that memory does not grow with what is
// written. It is no broker to keep anything in.
//
// What must not be here: anything of the sink, which speaks to this broker as
// to any other.
package embedded

import (
	"errors"
	"fmt"
	"os"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Broker is a running broker on the loopback interface, on a port that the
// system chose.
type Broker struct {
	cluster *kfake.Cluster
	dir     string
}

// Start runs a broker. It is the caller's to close.
func Start() (*Broker, error) {
	dir, err := os.MkdirTemp("", "leads-etl-kafka-")
	if err != nil {
		return nil, fmt.Errorf("folder for the broker's data: %w", err)
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.DataDir(dir),
		// Small segments go to disk soon, and leave memory.
		kfake.BrokerConfigs(map[string]string{"log.segment.bytes": "4194304"}),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the broker: %w", err), os.RemoveAll(dir))
	}
	return &Broker{cluster: cluster, dir: dir}, nil
}

// Addresses returns where the broker listens, each HOST:PORT.
func (b *Broker) Addresses() []string { return b.cluster.ListenAddrs() }

// Close ends the broker and removes its data.
func (b *Broker) Close() error {
	b.cluster.Close()
	return os.RemoveAll(b.dir)
}
