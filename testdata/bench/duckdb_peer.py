"""What a user would write around DuckDB: landed pages into one Parquet file, one NDJSON file, or both.

    python3 duckdb_peer.py --pages DIR --threads N [--parquet FILE] [--ndjson FILE]

The pages are answers of the API as received, <from>_<to>.json.gz, where from and to are the seconds of the window that
was asked for: the API's bounds are inclusive, so what lies at or beyond <to> is another page's. All types are given, so
nothing is inferred. If both are wanted, they are made of a temporary table, which is quicker than reading the pages twice. There
are no ids, no hashes, no order, no folders by date and no sync. Compression is that of leads-etl's default: zstd at 1.
"""

import argparse
import json
import os
import resource
import threading
import time

import duckdb
import pyarrow

RESPONSE = """STRUCT(
  additionalInformation VARCHAR,
  contactInformation STRUCT(firstName VARCHAR, lastName VARCHAR, phone VARCHAR, postalCode VARCHAR),
  email VARCHAR, externalEmail VARCHAR, financingAnswer BOOLEAN,
  leadFee STRUCT(
    amount STRUCT(convertedFromCurrency VARCHAR, convertedFromValue DECIMAL(18,4), currency VARCHAR, "value" DECIMAL(18,4)),
    description VARCHAR),
  leadStatus VARCHAR,
  memberMessage STRUCT(memberMessageExchange STRUCT(
    creationDate TIMESTAMP, question STRUCT(body VARCHAR, messageID BIGINT), response VARCHAR)[]),
  submittedTime TIMESTAMP, tradeInMake VARCHAR, tradeInModel VARCHAR, tradeInYear VARCHAR, userId VARCHAR)"""

ROWS = """
WITH listing AS (
  SELECT unnest(classifiedLeads) AS l,
         make_timestamp(regexp_extract(filename, '([0-9]+)_[0-9]+[.]json', 1)::BIGINT * 1000000) AS window_from,
         make_timestamp(regexp_extract(filename, '_([0-9]+)[.]json', 1)::BIGINT * 1000000) AS window_to
  FROM read_json($pages, columns = {'classifiedLeads': $listings}, format = 'unstructured', compression = 'gzip',
                 maximum_object_size = 1073741824, timestampformat = '%Y-%m-%dT%H:%M:%SZ', filename = true)),
lead AS (SELECT l.itemId AS item_id, l.itemTitle AS item_title, unnest(l.responses) AS r, window_from, window_to FROM listing)
SELECT 'snapshot' AS event_type, 'bench' AS account, 'EBAY_DE' AS marketplace_id, item_id, item_title,
  r.submittedTime AS submitted_time, r.leadStatus AS lead_status, r.userId AS user_id, r.email AS email,
  r.externalEmail AS external_email, r.contactInformation.firstName AS first_name, r.contactInformation.lastName AS last_name,
  r.contactInformation.phone AS phone, r.contactInformation.postalCode AS postal_code,
  r.additionalInformation AS additional_information, r.financingAnswer AS financing_answer,
  r.tradeInMake AS trade_in_make, r.tradeInModel AS trade_in_model, r.tradeInYear AS trade_in_year,
  r.leadFee.amount."value" AS fee_amount, r.leadFee.amount.currency AS fee_currency,
  r.leadFee.amount.convertedFromValue AS fee_converted_from_amount,
  r.leadFee.amount.convertedFromCurrency AS fee_converted_from_currency, r.leadFee.description AS fee_description,
  coalesce(len(r.memberMessage.memberMessageExchange), 0)::INTEGER AS message_count,
  list_transform(r.memberMessage.memberMessageExchange, lambda m: struct_pack(
    message_id := m.question.messageID, created_at := m.creationDate, question := m.question.body, response := m.response)) AS messages,
  1 AS schema_version
FROM lead WHERE r.submittedTime >= window_from AND r.submittedTime < window_to"""


def compress(pipe, path):
    """Compresses what comes out of the pipe with zstd, at level 1, which is PyArrow's default."""
    with open(pipe, "rb", buffering=0) as source, pyarrow.CompressedOutputStream(pyarrow.OSFile(path, "wb"), "zstd") as out:
        while block := source.read(1 << 20):
            out.write(block)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--parquet")
    parser.add_argument("--ndjson")
    args = parser.parse_args()

    begun, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    db = duckdb.connect()
    db.execute("SET threads = %d" % args.threads)
    db.execute("SET preserve_insertion_order = false")
    db.execute("SET TimeZone = 'UTC'")
    quote = lambda text: "'" + text.replace("'", "''") + "'"
    rows = ROWS.replace("$pages", quote(os.path.join(args.pages, "*.json.gz")))
    rows = rows.replace("$listings", quote("STRUCT(itemId VARCHAR, itemTitle VARCHAR, responses %s[])[]" % " ".join(RESPONSE.split())))
    if args.parquet and args.ndjson:
        db.execute("CREATE TEMP TABLE leads AS " + rows)
        rows = "FROM leads"
    if args.parquet:
        db.execute("COPY (%s) TO %s (FORMAT PARQUET, COMPRESSION zstd, COMPRESSION_LEVEL 1)" % (rows, quote(args.parquet)))
    if args.ndjson:
        # DuckDB has no option for the level here: its own zstd is at 3. At 1, by way of a pipe, it took a tenth less CPU time.
        pipe = args.ndjson + ".pipe"
        os.mkfifo(pipe)
        compressor = threading.Thread(target=compress, args=(pipe, args.ndjson), daemon=True)
        compressor.start()
        db.execute("COPY (%s) TO %s (FORMAT JSON, COMPRESSION none)" % (rows, quote(pipe)))
        compressor.join()
        os.remove(pipe)
    took, used = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "version": "DuckDB " + duckdb.__version__, "seconds": took,
        "cpu": used.ru_utime + used.ru_stime - cpu.ru_utime - cpu.ru_stime,
    }))


if __name__ == "__main__":
    main()
