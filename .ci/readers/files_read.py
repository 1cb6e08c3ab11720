#!/usr/bin/env python3
"""Reads the exporter's files as others do, with DuckDB and pyarrow (both from PyPI).

Checks column types, Hive partitions and counts, that the Parquet and the NDJSON
table are equal in every column, that predicates leave row groups out and lose no
row, and that no statistics are kept of personal columns. Ends with 1 and the list
of what is wrong. It prints no values of rows.

    files_read.py --parquet DIR --ndjson DIR --expect N
"""

import argparse
import datetime
import glob
import os
import sys

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

MESSAGES = "STRUCT(message_id BIGINT, created_at TIMESTAMP WITH TIME ZONE, question VARCHAR, response VARCHAR)[]"
TEXT, TIME, DECIMAL, INT = "VARCHAR", "TIMESTAMP WITH TIME ZONE", "DECIMAL(18,4)", "INTEGER"

# The table of columns, in the order of the files.
COLUMNS = {
    "event_id": TEXT, "event_type": TEXT, "lead_id": TEXT, "lead_version": INT, "account": TEXT,
    "marketplace_id": TEXT, "item_id": TEXT, "item_title": TEXT, "submitted_time": TIME,
    "lead_status": TEXT, "user_id": TEXT, "email": TEXT, "external_email": TEXT, "first_name": TEXT,
    "last_name": TEXT, "phone": TEXT, "postal_code": TEXT, "additional_information": TEXT,
    "financing_answer": "BOOLEAN", "trade_in_make": TEXT, "trade_in_model": TEXT, "trade_in_year": TEXT,
    "fee_amount": DECIMAL, "fee_currency": TEXT, "fee_converted_from_amount": DECIMAL,
    "fee_converted_from_currency": TEXT, "fee_description": TEXT, "message_count": INT,
    "messages": MESSAGES, "changed_fields": "VARCHAR[]", "content_hash": TEXT, "extracted_at": TIME,
    "schema_version": INT, "extra": TEXT,
}
PERSONAL = {
    "user_id", "email", "external_email", "first_name", "last_name", "phone", "postal_code",
    "additional_information", "messages", "extra",
}
UTC_MICROS = pa.timestamp("us", tz="UTC")
ARROW = {
    TEXT: pa.string(), TIME: UTC_MICROS, DECIMAL: pa.decimal128(18, 4), INT: pa.int32(), "BOOLEAN": pa.bool_(),
    "VARCHAR[]": pa.list_(pa.string()),
    MESSAGES: pa.list_(pa.struct([("message_id", pa.int64()), ("created_at", UTC_MICROS), ("question", pa.string()),
                                  ("response", pa.string())])),
}

problems = []


def check(ok, text):
    if not ok:
        problems.append(text)


def equal_types(a, b):
    """Compares Arrow types without nullability of list elements and their names."""
    if pa.types.is_list(a) and pa.types.is_list(b):
        return equal_types(a.value_type, b.value_type)
    return a.equals(b)


def one(con, query, *parameters):
    return con.execute(query, parameters).fetchone()[0]


def connect(parquet, ndjson):
    """Makes the views p and n of the two tables, n with the types of p."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    files = os.path.join(parquet, "marketplace=*", "date=*", "*.parquet")
    con.execute(f"CREATE VIEW p AS SELECT * FROM read_parquet('{files}', hive_partitioning = true)")
    lines = [f"{ndjson}/marketplace=*/date=*/*.ndjson{e}" for e in ("", ".gz", ".zst")]
    lines = [g for g in lines if glob.glob(g)]
    check(lines, "there are no NDJSON files")
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    con.execute(f"CREATE VIEW n AS SELECT * FROM read_ndjson({lines!r}, columns = {{{types}}}, hive_partitioning = true)")
    return con


def check_types(con):
    got = [(r[0], r[1]) for r in con.execute("DESCRIBE p").fetchall()]
    want = list(COLUMNS.items()) + [("date", "DATE"), ("marketplace", TEXT)]
    check(got == want, f"DuckDB sees other columns than wanted: {[g for g in got if g not in want]} for {[w for w in want if w not in got]}")


def check_counts(con, expect):
    for table in ("p", "n"):
        count, ids = con.execute(f"SELECT count(*), count(DISTINCT lead_id) FROM {table}").fetchone()
        check(count == expect, f"{table} has {count} rows, {expect} are expected")
        check(ids == count, f"{table} has {count} rows of {ids} leads")


def check_partitions(con):
    for table in ("p", "n"):
        wrong = one(con, f"SELECT count(*) FROM {table} WHERE date IS DISTINCT FROM CAST(submitted_time AS DATE)")
        check(wrong == 0, f"{wrong} rows of {table} are filed under another date than theirs")
        wrong = one(con, f"SELECT count(*) FROM {table} WHERE marketplace IS DISTINCT FROM marketplace_id")
        check(wrong == 0, f"{wrong} rows of {table} are filed under another marketplace than theirs")


def check_equal(con):
    """Compares the tables column by column, joined by lead."""
    differ = ", ".join(f"count(*) FILTER (p.{c} IS DISTINCT FROM n.{c})" for c in COLUMNS)
    counts = con.execute(f"SELECT {differ}, count(*) FROM p FULL JOIN n ON p.lead_id = n.lead_id").fetchone()
    for name, count in zip(COLUMNS, counts):
        check(count == 0, f"column {name} differs in {count} of {counts[-1]} rows")
    # Comparing nothing with nothing would hold as well.
    for name in ("submitted_time", "fee_amount", "messages", "email"):
        check(one(con, f"SELECT count({name}) FROM p") > 0, f"column {name} is null in all rows")


def check_lookups(con):
    """Looks leads up by columns with filters, with bounds, and without either."""
    for column in ("lead_id", "event_id", "item_id", "email", "phone", "additional_information"):
        values = con.execute(f"SELECT {column}, count(*) FROM n WHERE {column} IS NOT NULL "
                             f"GROUP BY {column} ORDER BY hash({column}) LIMIT 20").fetchall()
        check(values, f"column {column} is null in all rows")
        for value, count in values:
            found = one(con, f"SELECT count(*) FROM p WHERE {column} = ?", value)
            check(found == count, f"looking up a value of {column} finds {found} of {count} rows")


def check_arrow(parquet, expect):
    table = ds.dataset(parquet, format="parquet", partitioning="hive", exclude_invalid_files=False)
    check(table.count_rows() == expect, f"pyarrow counts {table.count_rows()} rows, {expect} are expected")
    schema = table.schema
    check(schema.names == [*COLUMNS, "marketplace", "date"], f"pyarrow sees the columns {schema.names}")
    for name, kind in COLUMNS.items():
        field = schema.field(name)
        check(equal_types(field.type, ARROW[kind]), f"pyarrow sees column {name} as {field.type}, wanted is {ARROW[kind]}")
    check(all("/_" not in f and "/." not in f for f in table.files), "pyarrow takes files for data that are none")
    # Every value is decoded, not only counted.
    rows = sum(batch.num_rows for batch in table.to_batches())
    check(rows == expect, f"pyarrow reads {rows} rows, {expect} are expected")
    return table


def check_statistics(files):
    groups = 0
    for path in files:
        meta = pq.ParquetFile(path).metadata
        groups += meta.num_row_groups
        for g in range(meta.num_row_groups):
            group = meta.row_group(g)
            for c in range(group.num_columns):
                column = group.column(c)
                name = column.path_in_schema.split(".")[0]
                bounds = column.statistics is not None and column.statistics.has_min_max
                if name in PERSONAL:
                    check(not bounds, f"{path}: the footer has bounds of {name}")
                if name in ("event_id", "lead_id", "account", "extracted_at"):
                    check(bounds, f"{path}: the footer has no bounds of {name}")
    return groups


def check_pruning(table):
    """A range of time must leave out every row group that lies beyond it."""
    left_out = 0
    for fragment in table.get_fragments():
        for group in fragment.split_by_row_group():
            stats = group.row_groups[0].statistics.get("submitted_time")
            if stats is None:
                continue  # rows without a time
            low, high = stats["min"], stats["max"]
            inside = (ds.field("submitted_time") >= low) & (ds.field("submitted_time") <= high)
            chosen = fragment.split_by_row_group(inside)
            check(group.row_groups[0].id in [g.row_groups[0].id for g in chosen],
                  f"{fragment.path}: a predicate leaves out a row group that it applies to")
            for other in chosen:
                s = other.row_groups[0].statistics["submitted_time"]
                check(s["min"] <= high and s["max"] >= low, f"{fragment.path}: a predicate takes a row group beyond it")
            before = ds.field("submitted_time") < low - datetime.timedelta(days=1)
            check(not fragment.split_by_row_group(before), f"{fragment.path}: a predicate takes row groups that it does not apply to")
            left_out += 1
    check(left_out > 0, "no row group has statistics of submitted_time")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parquet", required=True, metavar="DIR")
    parser.add_argument("--ndjson", required=True, metavar="DIR")
    parser.add_argument("--expect", required=True, type=int, metavar="N", help="leads in each table")
    args = parser.parse_args()

    con = connect(args.parquet, args.ndjson)
    check_types(con)
    check_counts(con, args.expect)
    check_partitions(con)
    check_equal(con)
    check_lookups(con)
    table = check_arrow(args.parquet, args.expect)
    groups = check_statistics(table.files)
    check_pruning(table)

    for p in problems:
        print("WRONG:", p)
    print(f"duckdb {duckdb.__version__}, pyarrow {pa.__version__}: {args.expect} leads, {len(table.files)} Parquet files, "
          f"{groups} row groups: {'%d problems' % len(problems) if problems else 'all as it should be'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
