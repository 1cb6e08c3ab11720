package kafka

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(exporterEnv); text != "" {
		if err := runExporter(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	kafkatest.Main(m)
}

// exporterEnv makes the test binary an exporter: a process that writes the rest
// of a journal, to be killed.
const exporterEnv = "LEADS_ETL_TEST_KAFKA_EXPORTER"

// A journal of the crash tests: each record is that many rows.
const (
	journalRecords = 60
	rowsEach       = 400
)

// export writes what the output does not have yet, a transaction for each
// record, and tells of each step.
func export(ctx context.Context, s *Sink, records int, tell func(string)) error {
	position, err := s.Position(ctx, deliver.Whole)
	if err != nil {
		return err
	}
	for next := int(position.Next); next < records; next++ {
		tx, err := s.Begin(ctx, deliver.Whole)
		if err != nil {
			return err
		}
		rows := sinktest.Leads(sinktest.Day, next*rowsEach, rowsEach)
		for len(rows) > 0 {
			if err := tx.Write(ctx, rows[:100]); err != nil {
				return errors.Join(err, tx.Rollback())
			}
			rows = rows[100:]
			tell("written")
		}
		if _, err := tx.Commit(ctx, at(journal.Seq(next+1))); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		tell("committed")
	}
	return nil
}

func runExporter(text string) error {
	var c Config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	ctx := context.Background()
	s, err := open(ctx, c, testBinding, quiet(), quick(new(kafkatest.Wire)))
	if err != nil {
		return err
	}
	defer s.Close()
	return export(ctx, s, journalRecords, func(step string) { fmt.Println(step) })
}

// wantJournal asserts that the topic has the rows of the journal's records, each
// once, and each lead's in the order of the records.
func wantJournal(t *testing.T, k *kafkatest.Kafka, topic string, records int) {
	t.Helper()
	seen := make(map[string]int)
	for _, r := range kafkatest.ReadCommitted(t, k.Brokers, topic) {
		seen[header(r, "ce_id")]++
	}
	lost, twice := 0, 0
	rows := sinktest.Leads(sinktest.Day, 0, records*rowsEach)
	for i := range rows {
		switch n := seen[rows[i].EventID]; {
		case n == 0:
			lost++
		case n > 1:
			twice++
		}
		delete(seen, rows[i].EventID)
	}
	if lost+twice+len(seen) > 0 {
		t.Errorf("of %d rows %d are lost, %d are there more than once; %d are foreign", len(rows), lost, twice, len(seen))
	}
}

// TestKilled kills an exporter at random, again and again, and lets the last
// one finish.
func TestKilled(t *testing.T) {
	k := kafkatest.Broker(t)
	c := unique(k)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	kills := 0
	for {
		cmd := exec.Command(binary)
		cmd.Env = append(os.Environ(), exporterEnv+"="+string(text))
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// So many steps, and then a moment: also while it opens.
		steps := bufio.NewScanner(out)
		for n := rng.IntN(20); n > 0 && steps.Scan(); n-- {
		}
		if kills < 20 {
			time.Sleep(time.Duration(rng.IntN(40)) * time.Millisecond)
			_ = cmd.Process.Kill()
		}
		_, _ = io.Copy(io.Discard, out)
		err = cmd.Wait()
		if err == nil {
			break
		}
		if cmd.ProcessState.Exited() {
			t.Fatalf("the exporter failed: %s", errs.String())
		}
		kills++
	}
	t.Logf("%d kills", kills)
	wantPosition(t, openSink(t, c, quick(new(kafkatest.Wire))), at(journalRecords))
	wantJournal(t, k, c.Topic, journalRecords)
}

// TestBrokerRestarts kills the broker in mid-transaction and between two. The
// sink goes on by itself if the broker is back soon, and is opened anew if not.
// At last the broker stays away.
func TestBrokerRestarts(t *testing.T) {
	k := kafkatest.Private(t)
	c := unique(k)
	tune := quick(new(kafkatest.Wire))
	tune.patience, tune.openPatience = 60*time.Second, 60*time.Second
	s := openSink(t, c, tune)
	const records = 6
	steps, restarts := 0, 0
	restart := map[int]bool{3: true, 10: true}
	for {
		err := export(t.Context(), s, records, func(string) {
			if steps++; restart[steps] {
				restarts++
				k.Restart(t)
			}
		})
		if err == nil {
			break
		}
		if isPermanent(err) {
			t.Fatal(err)
		}
		t.Logf("opened anew after: %v", err)
		if err := s.Close(); err != nil {
			t.Logf("close: %v", err)
		}
		s = openSink(t, c, tune)
	}
	if restarts != 2 {
		t.Fatalf("%d restarts", restarts)
	}
	wantPosition(t, s, at(records))
	wantJournal(t, k, c.Topic, records)

	k.Stop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err := write(ctx, s, sinktest.Leads(sinktest.Day, 0, 10), at(records+1))
	if err == nil || isPermanent(err) || !strings.Contains(err.Error(), k.Brokers[0]+" (connection refused)") {
		t.Errorf("without a broker: %v", err)
	}
}
