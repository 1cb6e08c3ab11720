#!/usr/bin/env python3
"""Uses the descriptions of a schema version as others do, over what the exporter wrote.

DuckDB and ClickHouse (chdb) run the DDL as it is, are given the files, and their view
leads_now must show of each lead what Polars finds to be its latest state; the DDL of
the other dialects is parsed by sqlglot. Rows of the NDJSON files must be valid by the JSON
Schema, and pass through a file of the Avro schema unchanged. Ends with 1 and the list of
what is wrong. It prints no values of rows.

    schema_read.py --schema schema/v1 --parquet DIR --ndjson DIR
"""

import argparse
import datetime
import decimal
import glob
import io
import itertools
import json
import os
import sys
import tempfile

import chdb.session
import duckdb
import fastavro
import jsonschema
import polars as pl
import sqlglot

problems = []


def check(ok, text):
    if not ok:
        problems.append(text)


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def versions(paths, folder):
    """Writes one file with the table's rows, later versions of some, and the end of others."""
    rows = pl.read_parquet(paths, hive_partitioning=False)
    later = pl.col("extracted_at") + datetime.timedelta(hours=1)
    changed = rows[:50].with_columns(
        later, event_type=pl.lit("updated"), lead_version=pl.lit(2, pl.Int32), lead_status=pl.lit("CHANGED"))
    vanished = rows[50:80].with_columns(later, event_type=pl.lit("vanished"), lead_version=pl.lit(2, pl.Int32))
    # An older version that is written later changes nothing.
    older = rows[100:110].with_columns(pl.col("extracted_at") - datetime.timedelta(days=1), lead_status=pl.lit("OLD"))
    path = os.path.join(folder, "events.parquet")
    pl.concat([rows, changed, vanished, older]).write_parquet(path)
    return path


def latest(path):
    """The latest state of each lead, by Polars: what README.md shows."""
    events = pl.scan_parquet(path)
    return (
        events.sort("extracted_at", "lead_version", descending=True, nulls_last=True)
        .unique("lead_id", keep="first", maintain_order=True)
        .filter(pl.col("event_type") != "vanished")
        .collect()
    )


def states(rows):
    return sorted((str(r[0]), r[1]) for r in rows)


def by_duckdb(ddl, path):
    db = duckdb.connect()
    db.execute(ddl)
    db.execute("INSERT INTO lead_events BY NAME SELECT * FROM read_parquet(?)", [path])
    return states(db.execute("SELECT lead_id, lead_status FROM leads_now").fetchall())


def by_clickhouse(ddl, path):
    session = chdb.session.Session()
    for statement in ddl.split(";\n"):
        if statement.strip():
            session.query(statement)
    session.query(f"INSERT INTO lead_events SELECT * FROM file('{path}', Parquet)")
    out = session.query("SELECT lead_id, lead_status FROM leads_now", "JSONCompactEachRow")
    return states(json.loads(line) for line in str(out).splitlines() if line)


def json_rows(folder):
    for path in sorted(glob.glob(os.path.join(folder, "**", "*.ndjson*"), recursive=True)):
        if "/_" not in path and not path.endswith((".tmp", ".superseded")):
            yield from duckdb.sql(f"SELECT json FROM read_json_objects('{path}', format = 'newline_delimited')").fetchall()


def avro_row(row):
    """A row of JSON as a row of Avro: times and decimals are values of their own there."""

    def time(text):
        return datetime.datetime.fromisoformat(text)

    row = dict(row)
    for name in ("submitted_time", "extracted_at"):
        if row.get(name):
            row[name] = time(row[name])
    for name in ("fee_amount", "fee_converted_from_amount"):
        if row.get(name):
            row[name] = decimal.Decimal(row[name]).quantize(decimal.Decimal("0.0001"))
    if row.get("messages") is not None:
        row["messages"] = [{**m, **({"created_at": time(m["created_at"])} if m.get("created_at") else {})} for m in row["messages"]]
    return row


def main():
    arguments = argparse.ArgumentParser()
    for name in ("schema", "parquet", "ndjson"):
        arguments.add_argument(f"--{name}", required=True)
    args = arguments.parse_args()
    paths = [p for p in glob.glob(os.path.join(args.parquet, "**", "*.parquet"), recursive=True) if "/_" not in p]

    columns = None
    for dialect in ("duckdb", "spark", "bigquery", "snowflake", "clickhouse"):
        statements = sqlglot.parse(read(args.schema, f"lead_events.{dialect}.sql"), dialect=dialect, error_level=sqlglot.ErrorLevel.RAISE)
        kinds = [s.key for s in statements if s is not None]
        check(kinds.count("create") == 2, f"{dialect}: {kinds} are not a table and a view")
        names = [c.name for c in statements[0].find_all(sqlglot.exp.ColumnDef) if isinstance(c.parent, sqlglot.exp.Schema)]
        columns = columns or names
        check(names == columns and len(names) > 30, f"{dialect}: the table has {len(names)} columns, and not those of DuckDB's")

    with tempfile.TemporaryDirectory() as folder:
        path = versions(paths, folder)
        want = states(latest(path).select("lead_id", "lead_status").rows())
        check(sum(1 for s in want if s[1] == "CHANGED") == 50, "Polars does not find the changed leads")
        for engine, run in (("duckdb", by_duckdb), ("clickhouse", by_clickhouse)):
            got = run(read(args.schema, f"lead_events.{engine}.sql"), path)
            check(got == want, f"{engine}: leads_now shows {len(got)} leads, and not the {len(want)} that Polars finds")

    rows = [json.loads(r[0]) for r in itertools.islice(json_rows(args.ndjson), 2000)]
    check(len(rows) > 100, f"only {len(rows)} rows of JSON")
    schema = json.loads(read(args.schema, "lead_event.schema.json"))
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    invalid = sum(1 for r in rows if not validator(schema).is_valid(r))
    check(invalid == 0, f"{invalid} of {len(rows)} rows are not valid by the JSON Schema")

    avro = fastavro.parse_schema(json.loads(read(args.schema, "lead_event.avsc")))
    file = io.BytesIO()
    fastavro.writer(file, avro, map(avro_row, rows), codec="deflate")
    file.seek(0)
    back = list(fastavro.reader(file))
    check([r["event_id"] for r in back] == [r["event_id"] for r in rows], "rows do not come back from a file of Avro")
    check(all(b["fee_amount"] == decimal.Decimal(r["fee_amount"]) for b, r in zip(back, rows) if r.get("fee_amount")), "amounts change in a file of Avro")

    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"5 dialects parsed; leads_now of DuckDB, ClickHouse and Polars agree on {len(want)} leads; {len(rows)} rows by JSON Schema and Avro: "
          + ("as they should be" if not problems else f"{len(problems)} problems"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
