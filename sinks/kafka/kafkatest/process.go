package kafkatest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// keeper is a shell script that runs the broker and waits on its stdin. The
// other end belongs to the test process: however that ends, kill -9 included,
// stdin ends with it, and the broker and its data go. A word on stdin ends the
// broker alone and keeps the data.
const keeper = `"$@" </dev/null >>"$KEEPER_LOG" 2>&1 &
pid=$!
read -r how || how=gone
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
[ "$how" = gone ] && rm -rf "$KEEPER_DIR"
exit 0
`

// process is a Kafka broker in a Java process of its own, with its data in dir.
type process struct {
	java  string
	jars  string
	dir   string
	ports ports
	certs certificates

	keeper *exec.Cmd
	stdin  io.WriteCloser
}

// newProcess prepares a broker: folders, certificates, configuration, formatted
// storage. It does not run yet. The dir is removed if that fails.
func newProcess(ctx context.Context) (p *process, err error) {
	p = &process{}
	if p.java, err = exec.LookPath("java"); err != nil {
		return nil, fmt.Errorf("running Kafka: %w", err)
	}
	if err := canKeep(); err != nil {
		return nil, err
	}
	if p.jars, err = jars(ctx); err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp("", "leads-etl-kafka-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("preparing Kafka: %w", err)
			os.RemoveAll(p.dir)
		}
	}()
	if p.ports, err = freePorts(ctx); err != nil {
		return nil, err
	}
	if p.certs, err = makeCertificates(p.dir); err != nil {
		return nil, err
	}
	text := properties(p.ports, filepath.Join(p.dir, "data"), p.certs)
	if err := os.WriteFile(p.config(), []byte(text), 0o600); err != nil {
		return nil, err
	}
	args := append(p.command("kafka.tools.StorageTool", "-Xmx128m"), "format", "--standalone", "-t", clusterID(), "-c", p.config())
	out, err := exec.CommandContext(ctx, args[0], append(args[1:], scramUsers()...)...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("formatting the storage: %w\n%s", err, out)
	}
	return p, nil
}

func (p *process) config() string { return filepath.Join(p.dir, "server.properties") }
func (p *process) log() string    { return filepath.Join(p.dir, "kafka.log") }

func (p *process) command(class string, options ...string) []string {
	args := append([]string{p.java}, options...)
	return append(args, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
		"-Dorg.slf4j.simpleLogger.showDateTime=true", "-cp", filepath.Join(p.jars, "*"), class)
}

// start runs the broker, on the data that is there, and returns when it answers.
func (p *process) start(ctx context.Context) error {
	// The broker outlives ctx, which is the start's.
	p.keeper = exec.CommandContext(context.WithoutCancel(ctx), "sh", append([]string{"-c", keeper, "kafka"},
		append(p.command("kafka.Kafka", "-Xmx1g", "-Xms256m"), p.config())...)...)
	p.keeper.Env = append(os.Environ(), "KEEPER_LOG="+p.log(), "KEEPER_DIR="+p.dir)
	detach(p.keeper)
	var err error
	if p.stdin, err = p.keeper.StdinPipe(); err != nil {
		return err
	}
	if err := p.keeper.Start(); err != nil {
		return fmt.Errorf("starting Kafka: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	if err := waitReady(ctx, address(p.ports.plain)); err != nil {
		return fmt.Errorf("starting Kafka: %w\n%s", err, p.lastLog())
	}
	return nil
}

// kill ends the broker as a crash would; the data stays.
func (p *process) kill() error { return p.end("keep\n") }

// remove ends the broker and removes its data.
func (p *process) remove() error {
	err := p.end("")
	if rerr := os.RemoveAll(p.dir); err == nil {
		err = rerr
	}
	return err
}

func (p *process) end(word string) error {
	if p.keeper == nil {
		return nil
	}
	_, err := io.WriteString(p.stdin, word)
	p.stdin.Close()
	if werr := p.keeper.Wait(); err == nil {
		err = werr
	}
	p.keeper = nil
	return err
}

// lastLog is the end of what the broker said, for error messages.
func (p *process) lastLog() string {
	b, err := os.ReadFile(p.log())
	if err != nil {
		return "no log: " + err.Error()
	}
	if len(b) > 4000 {
		b = b[len(b)-4000:]
	}
	return string(b)
}

// clusterID makes a cluster id of Kafka's form: a UUID in base64 that does not
// begin with a dash.
func clusterID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	id[0] &= 0x7f    // "-" and "_" code values from 0xf8 on
	return base64.RawURLEncoding.EncodeToString(id[:])
}
