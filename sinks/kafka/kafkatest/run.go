package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Run is Broker for programs that are no tests: it returns a real broker and
// what ends it. It ends with the process, too. There is no kfake in its place.
func Run(ctx context.Context) (k *Kafka, end func() error, err error) {
	if given := os.Getenv(addressEnv); given != "" {
		k, err = dial(strings.Split(given, ","))
	} else {
		k, err = start(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	if !k.Real {
		return nil, nil, errors.Join(errors.New("no real Kafka broker: Java and Maven are needed"), k.end())
	}
	return k, k.end, nil
}

// Tool returns a command that runs one of Kafka's own tools by its class, such as
// org.apache.kafka.tools.ProducerPerformance. It needs Java and Maven.
func Tool(ctx context.Context, class string, args ...string) (*exec.Cmd, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, fmt.Errorf("running a tool of Kafka: %w", err)
	}
	folder, err := jars(ctx)
	if err != nil {
		return nil, err
	}
	command := append((&process{java: java, jars: folder}).command(class, "-Xmx512m"), args...)
	return exec.CommandContext(ctx, command[0], command[1:]...), nil
}
