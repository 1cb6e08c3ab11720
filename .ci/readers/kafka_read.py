#!/usr/bin/env python3
"""Reads the exporter's topic as others do, with librdkafka (confluent-kafka from PyPI), read_committed.

Checks that every event is there once, that key, headers, record time and value
agree, and that keys are in the partitions where the Java client would put them.
Ends with 1 and the list of what is wrong. It prints no values of rows.

    kafka_read.py --brokers HOST:PORT[,…] --topic NAME [--expect N] [--isolation read_committed]
"""

import argparse
import collections
import datetime
import json
import sys

import confluent_kafka as ck

HEADERS = ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "content-type"]


def murmur2(data):
    """The hash of the Java client's partitioner."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def read(args):
    """Yields the topic's records, as far as they can be read now, and the number of partitions."""
    consumer = ck.Consumer({
        "bootstrap.servers": args.brokers, "group.id": "kafka-read", "enable.auto.commit": False,
        "isolation.level": args.isolation, "enable.partition.eof": True, "auto.offset.reset": "earliest",
    })
    topic = consumer.list_topics(args.topic, timeout=30).topics[args.topic]
    if topic.error:
        sys.exit(f"{args.topic}: {topic.error}")
    left = set(topic.partitions)
    consumer.assign([ck.TopicPartition(args.topic, p, ck.OFFSET_BEGINNING) for p in left])
    while left:
        for record in consumer.consume(1000, timeout=1):
            if record.error() is None:
                yield record, len(topic.partitions)
            elif record.error().code() == ck.KafkaError._PARTITION_EOF:
                left.discard(record.partition())
            else:
                sys.exit(str(record.error()))
    consumer.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--expect", type=int, help="how many events there must be")
    parser.add_argument("--isolation", default="read_committed", choices=["read_committed", "read_uncommitted"])
    args = parser.parse_args()

    wrong, events, leads = collections.Counter(), collections.Counter(), set()
    for record, partitions in read(args):
        row = json.loads(record.value())
        headers = {name: value.decode() for name, value in record.headers() or []}
        lead, event = row["lead_id"], row["event_id"]
        extracted = datetime.datetime.fromisoformat(row["extracted_at"])
        for what, ok in {
            "names of headers": [name for name, _ in record.headers() or []] == HEADERS,
            "ce_specversion": headers.get("ce_specversion") == "1.0",
            "ce_id": headers.get("ce_id") == event,
            "ce_type": headers.get("ce_type") == "com.ebay.sell.lead." + row["event_type"],
            "ce_source": headers.get("ce_source", "").startswith("/sell/leads/v1/" + row["marketplace_id"] + "/"),
            "ce_subject": headers.get("ce_subject") == lead,
            "ce_time": headers.get("ce_time") == row["extracted_at"],
            "content-type": headers.get("content-type") == "application/json",
            "key": record.key().decode() == lead,
            "record time": record.timestamp() == (ck.TIMESTAMP_CREATE_TIME, round(extracted.timestamp() * 1000)),
            "partition": (murmur2(record.key()) & 0x7FFFFFFF) % partitions == record.partition(),
        }.items():
            wrong[what] += not ok
        events[event] += 1
        leads.add(lead)

    total, repeated = sum(events.values()), sum(n - 1 for n in events.values())
    print(f"{args.topic}: {total} records, {len(events)} events, {len(leads)} leads")
    problems = [f"{n} records with a wrong {what}" for what, n in wrong.items() if n]
    if repeated:
        problems.append(f"{repeated} records repeat an event")
    if args.expect is not None and total != args.expect:
        problems.append(f"{total} records, not {args.expect}")
    for problem in problems:
        print("wrong:", problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
