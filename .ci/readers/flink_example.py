#!/usr/bin/env python3
"""Runs the Flink table of README.md over a topic that a stream wrote, in Flink.

The table, as it stands there but for the addresses, must hold for each lead all
columns of its event of the highest version, less the leads that have vanished.
What that is, the stream's files say. Ends with 1 and the list of what is wrong. It
prints no values of rows.

    flink_example.py --readme README.md --parquet DIR --brokers HOST:PORT --topic NAME --vanished event|tombstone

A JDK (17) and Maven are needed: Flink and its connector are
brought by flink/pom.xml, some 130 MB, into the user's cache folder.
"""

import argparse
import datetime
import decimal
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import duckdb

sys.dont_write_bytecode = True  # the tree stays as it is
import stream_examples
from stream_examples import check, problems

HERE = pathlib.Path(__file__).parent / "flink"
WHERE = "event_type <> 'vanished'"  # what the page tells to add where there are no tombstones


def jars():
    """Returns a folder with the jars of the pom, brought through Maven the first time."""
    pom = HERE / "pom.xml"
    base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "leads-etl-flink"
    base.mkdir(parents=True, exist_ok=True)
    folder = base / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    with open(base / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            # Under another name until it is complete.
            partial = folder.with_suffix(".tmp")
            shutil.rmtree(partial, ignore_errors=True)
            ran = subprocess.run(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={partial}"], stdout=sys.stderr)
            if ran.returncode != 0:
                sys.exit(f"Maven could not bring the jars of {pom}; what it says of it is above")
            partial.rename(folder)
    return folder


def addressed(example, brokers, topic):
    """Puts broker and topic in the place of those that the example names."""
    for name, ours in (("'localhost:9092'", brokers), ("'leads.EBAY_DE'", topic)):
        if example.count(name) != 1:
            sys.exit(f"the example does not name {name}, once")
        example = example.replace(name, f"'{ours}'")
    return example


def run_flink(ddl, condition):
    """Returns the rows that the table holds when its topic has been read, as Flink has them."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            sys.exit(f"running Flink needs the command {tool}: install a JDK of version 17, and Maven")
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder, "table.sql")
        script.write_text(ddl, encoding="utf-8")
        command = ["java", "-Xmx1g", f"-Djava.io.tmpdir={folder}", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                   "--class-path", f"{jars()}/*", HERE / "Present.java", script, "leads", "lead_id", *condition]
        # The limit is for a read that never ends, and far from what it takes.
        ran = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=480)
    if ran.returncode != 0:
        # A record that could not be read is quoted in its error.
        causes = [re.sub(r"JSON '.*", "JSON", line) for line in ran.stderr.splitlines() if re.match(r"(Caused by|Exception|error|.*: error):?", line)]
        sys.exit("\n".join([f"Flink ended with code {ran.returncode}:", *dict.fromkeys(causes)]))
    return [json.loads(line) for line in ran.stdout.splitlines()]


def same(got, want):
    """Tells if a value is that of the files, where structs have the fields that the table declares."""
    if isinstance(got, dict) and isinstance(want, dict):
        return all(field in want and same(value, want[field]) for field, value in got.items())
    if isinstance(got, list) and isinstance(want, list):
        return len(got) == len(want) and all(map(same, got, want))
    if isinstance(got, str) and isinstance(want, datetime.datetime):
        # The table's times have milliseconds.
        return datetime.datetime.fromisoformat(got) == want.replace(microsecond=want.microsecond // 1000 * 1000)
    if isinstance(got, str) and isinstance(want, decimal.Decimal):
        return decimal.Decimal(got) == want
    return got == want


def hold(rows, con, folder):
    """Compares the table's rows with the present leads by the files."""
    want, _, events = stream_examples.truth(con, folder)
    got = {row["lead_id"]: row for row in rows}
    check(len(got) == len(rows), f"flink-table: {len(rows)} rows of {len(got)} leads")
    check(got.keys() == want.keys(), f"flink-table: of {len(want)} leads {len(want.keys() - got.keys())} are missing, "
          f"{len(got.keys() - want.keys())} should not be there")
    files = os.path.join(folder, "*", "*", "events-*.parquet")
    known = con.sql(f"SELECT * FROM read_parquet('{files}', hive_partitioning = true)").to_arrow_table().to_pylist()
    columns = [column for column in (rows[0] if rows else ()) if column in known[0]]
    check(not rows or len(columns) == len(rows[0]), "flink-table: has columns that there are not")
    last = {row["lead_id"]: row for row in known if row["lead_id"] in want and row["lead_version"] == want[row["lead_id"]][0]}
    for column in columns:
        other = sum(not same(got[lead][column], last[lead][column]) for lead in got.keys() & last.keys())
        check(other == 0, f"flink-table: {column} is another in {other} of {len(want)} leads")
        check(any(row[column] is not None for row in rows), f"flink-table: {column} is null in all leads: nothing is shown")
    return events, len(want), len(columns)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readme", required=True, metavar="FILE")
    parser.add_argument("--parquet", required=True, metavar="DIR")
    parser.add_argument("--brokers", required=True, metavar="HOST:PORT[,…]")
    parser.add_argument("--topic", required=True, metavar="NAME")
    parser.add_argument("--vanished", required=True, choices=["event", "tombstone"])
    args = parser.parse_args()
    with open(args.readme, encoding="utf-8") as page:
        if f"`WHERE {WHERE}`" not in page.read():
            sys.exit("the page does not tell of the condition")
    ddl = addressed(stream_examples.examples([args.readme])["flink-table"], args.brokers, args.topic)
    check("'properties.isolation.level' = 'read_committed'" in ddl, "flink-table: not read_committed")
    rows = run_flink(ddl, [WHERE] if args.vanished == "event" else [])
    events, present, columns = hold(rows, duckdb.connect(), os.path.abspath(args.parquet))

    for p in sorted(set(problems)):
        print("WRONG:", p)
    print(f"{events} events, {present} present leads; flink, {columns} columns: {'%d problems' % len(set(problems)) if problems else 'all as it should be'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
