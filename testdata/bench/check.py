"""Tells what is in an export, so that two can be compared: DuckDB reads it, be it ours or a peer's.

    python3 check.py parquet|ndjson GLOB
"""

import json
import sys

import duckdb

FACTS = """
SELECT count(*) AS rows, count(DISTINCT item_id) AS items, sum(fee_amount::DECIMAL(18,4))::VARCHAR AS fees,
  sum(message_count)::BIGINT AS messages, sum(strlen(additional_information))::BIGINT AS text_bytes,
  count(user_id) AS users, count(financing_answer) AS financing,
  strftime(min(submitted_time::TIMESTAMP), '%%Y-%%m-%%dT%%H:%%M:%%S') AS first,
  strftime(max(submitted_time::TIMESTAMP), '%%Y-%%m-%%dT%%H:%%M:%%S') AS last
FROM %s"""

COLUMNS = {
    "item_id": "VARCHAR", "fee_amount": "VARCHAR", "message_count": "INTEGER", "additional_information": "VARCHAR",
    "user_id": "VARCHAR", "financing_answer": "BOOLEAN", "submitted_time": "TIMESTAMP",
}


def main():
    kind, pattern = sys.argv[1:]
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    name = "'" + pattern.replace("'", "''") + "'"
    if kind == "parquet":
        source = "read_parquet(%s, union_by_name = true)" % name
    else:
        source = "read_json(%s, format = 'newline_delimited', columns = %s)" % (name, COLUMNS)
    result = db.execute(FACTS % source)
    names = [d[0] for d in result.description]
    print(json.dumps(dict(zip(names, result.fetchone()))))


if __name__ == "__main__":
    main()
