package main

import (
	"bufio"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// record is one that leads-etl wrote, as kept in a file.
type record struct {
	Partition  int
	Key, Value []byte
	Headers    []kafka.Header
	Time       time.Time
}

// A batch of the sink's: so many records, unless they are more bytes than that.
const (
	batchRecords = 1000
	batchBytes   = 500_000
)

// produce is a child: the bare producer. It sends the kept records, over and over
// until there were n, in batches like the sink's, each acknowledged by all
// replicas, one request at a time to each partition. There is neither transaction
// nor retry. Reading the file is not counted.
func produce(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("produce", flag.ContinueOnError)
	brokers := flags.String("brokers", "", "addresses, by comma")
	topic := flags.String("topic", "", "topic")
	path := flags.String("records", "", "file of kept records")
	n := flags.Int("n", 0, "how many records to send")
	if err := flags.Parse(args); err != nil {
		return err
	}
	batches, err := readBatches(*path)
	if err != nil {
		return err
	}
	client := &kafka.Client{Addr: kafka.TCP(strings.Split(*brokers, ",")...), Timeout: time.Minute}
	begun := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for partition, mine := range batches {
		// The n records are shared out evenly, which murmur2 does, too.
		left := *n/len(batches) + min(1, max(0, *n%len(batches)-partition))
		g.Go(func() error { return send(ctx, client, *topic, partition, mine, left) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(own{Seconds: time.Since(begun).Seconds()})
}

// send sends left records of the batches to a partition.
func send(ctx context.Context, client *kafka.Client, topic string, partition int, batches [][]kafka.Record, left int) error {
	for i := 0; left > 0; i++ {
		batch := batches[i%len(batches)]
		batch = batch[:min(len(batch), left)]
		left -= len(batch)
		for j := range batch { // their readers are at the end after each use
			batch[j].Key.(*blob).rewind()
			batch[j].Value.(*blob).rewind()
		}
		answer, err := client.Produce(ctx, &kafka.ProduceRequest{
			Topic: topic, Partition: partition, RequiredAcks: kafka.RequireAll, Compression: kafka.Snappy,
			Records: kafka.NewRecordReader(batch...),
		})
		if err == nil {
			err = answer.Error
		}
		if err != nil {
			return fmt.Errorf("sending to partition %d: %w", partition, err)
		}
	}
	return nil
}

// readBatches reads the kept records, by partition, in batches.
func readBatches(path string) ([][][]kafka.Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	batches := make([][][]kafka.Record, partitions)
	var sizes [partitions]int
	for in := gob.NewDecoder(bufio.NewReader(f)); ; {
		var r record
		if err := in.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading the records to send: %w", err)
		}
		p := r.Partition
		size := len(r.Key) + len(r.Value)
		for _, h := range r.Headers {
			size += len(h.Key) + len(h.Value)
		}
		if last := len(batches[p]) - 1; last < 0 || len(batches[p][last]) == batchRecords || sizes[p]+size > batchBytes {
			batches[p] = append(batches[p], nil)
			sizes[p] = 0
		}
		last := len(batches[p]) - 1
		batches[p][last] = append(batches[p][last], kafka.Record{
			Time: r.Time, Key: newBlob(r.Key), Value: newBlob(r.Value), Headers: r.Headers,
		})
		sizes[p] += size
	}
	for p := range batches {
		if len(batches[p]) == 0 {
			return nil, fmt.Errorf("no records of partition %d to send", p)
		}
	}
	return batches, nil
}

// keepRecords is a child: it reads the first records of a topic into the files
// that the other producers send from.
func keepRecords(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("keep", flag.ContinueOnError)
	brokers := flags.String("brokers", "", "addresses, by comma")
	topic := flags.String("topic", "", "topic")
	path := flags.String("records", "", "file for the records")
	payloads := flags.String("payloads", "", "file for their values")
	n := flags.Int("n", recordsKept, "how many records to keep at most")
	if err := flags.Parse(args); err != nil {
		return err
	}
	whole, err := os.Create(*path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, whole.Close()) }()
	values, err := os.Create(*payloads)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, values.Close()) }()
	wholeOut, valuesOut := bufio.NewWriter(whole), bufio.NewWriter(values)
	out := gob.NewEncoder(wholeOut)
	kept := 0
	err = readTopic(ctx, *brokers, *topic, func(r *kgo.Record) error {
		if kept == *n {
			return nil
		}
		kept++
		k := record{Partition: int(r.Partition), Key: r.Key, Value: r.Value, Time: r.Timestamp}
		for _, h := range r.Headers {
			k.Headers = append(k.Headers, kafka.Header{Key: h.Key, Value: h.Value})
		}
		_, werr := valuesOut.Write(append(r.Value, '\n'))
		return errors.Join(werr, out.Encode(k))
	})
	return errors.Join(err, wholeOut.Flush(), valuesOut.Flush())
}

// countRecords is a child: it tells what a read_committed consumer finds in a
// topic.
func countRecords(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("count", flag.ContinueOnError)
	brokers := flags.String("brokers", "", "addresses, by comma")
	topic := flags.String("topic", "", "topic")
	if err := flags.Parse(args); err != nil {
		return err
	}
	rows := 0
	if err := readTopic(ctx, *brokers, *topic, func(*kgo.Record) error { rows++; return nil }); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(facts{"rows": rows})
}

// readTopic hands over the committed records of a topic to which nobody writes.
func readTopic(ctx context.Context, brokers, topic string, take func(*kgo.Record) error) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords()) // reaching the last record, which may be one, is how the end is known
	if err != nil {
		return err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		return fmt.Errorf("reading topic %s: %w", topic, err)
	}
	offsets, left := map[int32]kgo.Offset{}, map[int32]int64{}
	for _, end := range ends.Offsets()[topic] {
		if end.At > 0 {
			offsets[end.Partition], left[end.Partition] = kgo.NewOffset().AtStart(), end.At
		}
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("reading topic %s: %w", topic, err)
		}
		for records := fetches.RecordIter(); !records.Done(); {
			r := records.Next()
			if !r.Attrs.IsControl() {
				if err := take(r); err != nil {
					return err
				}
			}
			if r.Offset >= left[r.Partition]-1 {
				delete(left, r.Partition)
			}
		}
	}
	return nil
}
