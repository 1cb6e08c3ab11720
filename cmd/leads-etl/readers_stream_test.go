//go:build readers

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// The examples of the README are run over what a stream writes, as they stand
// there: with events of vanished leads, and with tombstones.
func TestStreamExamplesOfTheReadme(t *testing.T) {
	kafka := kafkatest.Broker(t)
	t.Cleanup(func() {
		if err := kafkatest.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	brokers := strings.Join(kafka.Brokers, ",")
	scripts, err := filepath.Abs("../../.ci/readers")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := filepath.Abs("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	consumers, err := filepath.Abs("../../testdata/consumers/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, vanished := range []string{"event", "tombstone"} {
		t.Run(vanished, func(t *testing.T) {
			dir, topic := t.TempDir(), kafkatest.Unique("leads")
			server, environ := liveAPI(t, 400)
			environ = append(environ, "LEADS_ETL_PARQUET_DIR=leads/parquet", "LEADS_ETL_KAFKA_BROKERS="+brokers,
				"LEADS_ETL_KAFKA_TOPIC="+topic, "LEADS_ETL_KAFKA_VANISHED="+vanished, "LEADS_ETL_KAFKA_TRANSACTIONAL_ID="+topic)
			stream := startLogged(t, dir, environ, "stream")
			for _, change := range []func() error{
				func() error { return nil },
				func() error { return server.Change(1, 2, 3) },
				func() error { return server.Respond(1, 4) },
				func() error { return server.EndListing(server.ItemIDs()[0]) },
				func() error { return addLeads(server) },
			} {
				if err := change(); err != nil {
					t.Fatal(err)
				}
				stream.await(t, "level=INFO msg=polled")
			}
			signalTo(t, stream, syscall.SIGTERM)
			if code, stdout := stream.end(t); code != exitDone {
				t.Fatalf("exit code %d: %s", code, stdout)
			}
			common := []string{"--parquet", filepath.Join(dir, "leads/parquet"), "--brokers", brokers, "--topic", topic}
			examples := append([]string{filepath.Join(scripts, "stream_examples.py"), "--documents", readme, consumers}, common...)
			if vanished == "event" { // Spark takes its time, and sees the same files
				examples = append(examples, "--spark")
			}
			flink := append([]string{filepath.Join(scripts, "flink_example.py"), "--readme", readme, "--vanished", vanished}, common...)
			for _, args := range [][]string{examples, flink} {
				run := exec.Command("python3", args...)
				run.Stdout, run.Stderr = os.Stdout, os.Stderr
				if err := run.Run(); err != nil {
					t.Errorf("%s: %v", filepath.Base(args[0]), err)
				}
			}
		})
	}
}

func addLeads(server *simulator.Server) error {
	now := time.Now().UTC()
	_, err := server.AddLeads(10, now.Add(-30*time.Minute), now.Add(-20*time.Minute))
	return err
}
