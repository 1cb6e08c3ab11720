//go:build readers

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
)

// What the demo writes into a real Kafka is read by librdkafka. The test needs
// Python with confluent-kafka, which .ci/run installs; so it has a build tag of
// its own.
func TestTopicIsReadByOthers(t *testing.T) {
	kafka := kafkatest.Broker(t)
	t.Cleanup(func() {
		if err := kafkatest.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	brokers := strings.Join(kafka.Brokers, ",")
	demo := start(t, t.TempDir(), nil, "demo", "--brokers", brokers)
	code, stdout := demo.end(t)
	rows := regexp.MustCompile(`(?m)^  kafka +([0-9,]+) rows`).FindStringSubmatch(stdout)
	if code != exitDone || rows == nil {
		t.Fatalf("exit code %d:\n%s%s", code, stdout, demo.stderr)
	}
	reader, err := filepath.Abs("../../.ci/readers/kafka_read.py")
	if err != nil {
		t.Fatal(err)
	}
	read := exec.Command("python3", reader, "--brokers", brokers, "--topic", demoTopic, "--expect", strings.ReplaceAll(rows[1], ",", ""))
	read.Stdout, read.Stderr = os.Stdout, os.Stderr
	if err := read.Run(); err != nil {
		t.Error(err)
	}
}
