#!/usr/bin/env python3
"""Runs the examples of the documents over what a stream wrote, and holds their results to each other.

An example is a fenced block after a line "<!-- example: NAME -->". The SQL of DuckDB
and of Spark, pandas and Polars must give for each lead its event of the highest
version, less those that have vanished; so must the consumer, if there is a topic. Ends with 1 and the
list of what is wrong. It prints no values of rows.

    stream_examples.py --documents README.md testdata/consumers/README.md --parquet DIR [--spark] [--brokers HOST:PORT --topic NAME]

The files are those of a stream, or of several on one state folder, without a batch.
"""

import argparse
import collections
import json
import os
import re
import sqlite3
import sys
import tempfile
import uuid

import duckdb

problems = []


def check(ok, text):
    if not ok:
        problems.append(text)


def examples(paths):
    """Returns the fenced blocks of the pages that have names."""
    blocks = []
    for path in paths:
        with open(path, encoding="utf-8") as page:
            blocks += re.findall(r"<!-- example: ([a-z-]+) -->\n```[a-z]+\n(.*?)```\n", page.read(), re.DOTALL)
    found = dict(blocks)
    if len(found) != len(blocks):
        sys.exit("two examples have one name")
    return found


def at(example, folder):
    """Puts a folder in the place of the one that the example names."""
    if "leads/parquet" not in example:
        sys.exit("an example does not read leads/parquet")
    return example.replace("leads/parquet", folder)


def truth(con, folder):
    """Works out the present leads from versions alone; checks what the examples rely on."""
    files = os.path.join(folder, "*", "*", "events-*.parquet")
    rows = con.execute("SELECT lead_id, lead_version, event_type, event_id, content_hash, changed_fields "
                       f"FROM read_parquet('{files}', hive_partitioning = true)").fetchall()
    versions, events = collections.defaultdict(dict), set()
    types, changes = collections.Counter(), collections.Counter()
    for lead, version, kind, event, content, fields in rows:
        check(version is not None and version not in versions[lead], "a lead has an event without a version, or a version twice")
        versions[lead][version] = (kind, content)
        events.add(event)
        types[kind] += 1
        check((fields is not None) == (kind == "updated"), "changed_fields is null in an update, or set elsewhere")
        changes.update(fields or [])
    check(len(events) == len(rows), f"{len(rows)} rows have {len(events)} event ids")
    for known in versions.values():
        check(sorted(known) == list(range(1, len(known) + 1)), "a lead's versions do not count 1, 2, 3")
    for kind in ("created", "updated", "vanished"):
        check(types[kind] > 0, f"there are no {kind} events: nothing is shown")
    last = {lead: known[max(known)] + (max(known),) for lead, known in versions.items()}
    return {lead: (version, content) for lead, (kind, content, version) in last.items() if kind != "vanished"}, changes, len(rows)


def hold(name, rows, want):
    """Compares (lead, version, content) with the present leads."""
    got = {lead: (version, content) for lead, version, content in rows}
    check(len(got) == len(rows), f"{name}: {len(rows)} rows of {len(got)} leads")
    missing, too_many = len(want.keys() - got.keys()), len(got.keys() - want.keys())
    stale = sum(got[lead] != want[lead] for lead in got.keys() & want.keys())
    check(not missing and not too_many and not stale,
          f"{name}: of {len(want)} leads {missing} are missing, {stale} are not the last version, {too_many} should not be there")


def run_duckdb(con, found, folder, want, changes):
    con.execute(at(found["duckdb-latest"], folder))
    hold("duckdb-latest", con.execute("SELECT lead_id, lead_version, content_hash FROM leads_now").fetchall(), want)
    got = {field: n for field, n, _ in con.execute(at(found["duckdb-changes"], folder)).fetchall()}
    check(got == dict(changes), f"duckdb-changes: {len(got)} fields, wanted are {len(changes)}, with other counts")
    check(bool(got), "duckdb-changes: no field has changed")


def run_spark(found, folder, want):
    import pyspark.sql
    spark = (pyspark.sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.shuffle.partitions", "2").config("spark.log.level", "ERROR").getOrCreate())
    spark.sql(at(found["spark-latest"], folder))
    hold("spark-latest", [tuple(r) for r in spark.sql("SELECT lead_id, lead_version, content_hash FROM leads_now").collect()], want)
    spark.stop()


def run_frames(found, folder, want):
    """Runs what makes a data frame leads_now, and looks at its rows."""
    columns = ["lead_id", "lead_version", "content_hash"]
    pandas, polars = {}, {}
    exec(compile(at(found["pandas-latest"], folder), "pandas-latest", "exec"), pandas)
    hold("pandas-latest", list(pandas["leads_now"][columns].itertuples(index=False, name=None)), want)
    exec(compile(at(found["polars-latest"], folder), "polars-latest", "exec"), polars)
    hold("polars-latest", polars["leads_now"].select(columns).rows(), want)


class Finished(Exception):
    """All that the topic holds was read."""


def run_consumer(found, brokers, topic, want):
    """Runs the consumer as it stands, but for the addresses, until the topic's end."""
    import confluent_kafka as ck
    original = ck.Consumer

    class Bounded(original):
        def __init__(self, config):
            check(config.get("isolation.level") == "read_committed", "python-consumer: not read_committed")
            super().__init__(config | {"bootstrap.servers": brokers, "group.id": f"examples-{uuid.uuid4()}", "enable.partition.eof": True})

        def subscribe(self, _):
            self.left = set(self.list_topics(topic, timeout=30).topics[topic].partitions)
            super().subscribe([topic])

        def poll(self, timeout):
            record = super().poll(timeout)
            if record is not None and record.error() is not None:
                if record.error().code() != ck.KafkaError._PARTITION_EOF:
                    sys.exit(str(record.error()))
                self.left.discard(record.partition())
                if not self.left:
                    raise Finished
            return record

    ck.Consumer = Bounded
    before = os.getcwd()
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            space = {}
            try:
                exec(compile(found["python-consumer"], "README.md", "exec"), space)
            except Finished:
                space["consumer"].close()
                space["db"].close()
            with sqlite3.connect("leads.db") as db:
                leads = [json.loads(content) | {"key": key} for key, content in db.execute("SELECT lead_id, content FROM leads")]
            db.close()
            os.chdir(before)
    finally:
        ck.Consumer = original
        os.chdir(before)
    hold("python-consumer", [(lead["key"], lead.get("lead_version"), lead["content_hash"]) for lead in leads], want)
    check(all(lead["key"] == lead["lead_id"] for lead in leads), "python-consumer: keys that are not the lead's")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", required=True, nargs="+", metavar="FILE")
    parser.add_argument("--parquet", required=True, metavar="DIR")
    parser.add_argument("--spark", action="store_true", help="run Spark's example, too")
    parser.add_argument("--brokers", metavar="HOST:PORT[,…]")
    parser.add_argument("--topic", metavar="NAME")
    args = parser.parse_args()
    folder = os.path.abspath(args.parquet)
    found = examples(args.documents)
    unknown = found.keys() - {
        "duckdb-latest", "duckdb-changes", "spark-latest", "pandas-latest", "polars-latest", "python-consumer", "flink-table"
    }  # the last: flink_example.py
    check(not unknown, f"examples that nobody runs: {sorted(unknown)}")

    con = duckdb.connect()
    want, changes, rows = truth(con, folder)
    run = ["duckdb", "pandas", "polars"]
    run_duckdb(con, found, folder, want, changes)
    run_frames(found, folder, want)
    if args.spark:
        run.append("spark")
        run_spark(found, folder, want)
    if args.brokers:
        run.append("python consumer")
        run_consumer(found, args.brokers, args.topic, want)

    for p in sorted(set(problems)):
        print("WRONG:", p)
    print(f"{rows} events, {len(want)} present leads; examples run: {', '.join(run)}: {'%d problems' % len(set(problems)) if problems else 'all as it should be'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
