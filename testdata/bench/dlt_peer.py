"""What a user would write with dlt: the Leads API over HTTP into Parquet files.

    python3 dlt_peer.py --api URL --token-url URL --from T --to T --hours N --out DIR --work DIR

Windows of a fixed length, one after the other, with dlt's own HTTP client (retries, gzip); rows are made flat in Python, with
their types given, and messages stay in a column of JSON, as child tables cost more. The API's bounds are inclusive: a window
ends a second before the next. dlt's defaults otherwise. No ids, no hashes, no journal.
"""

import argparse
import json
import os
import resource
import time
from datetime import datetime, timedelta, timezone

TEXT = ("item_id item_title lead_status user_id email external_email first_name last_name phone postal_code "
        "additional_information trade_in_make trade_in_model trade_in_year fee_currency fee_converted_from_currency "
        "fee_description account marketplace_id event_type").split()
COLUMNS = {name: {"data_type": "text"} for name in TEXT}
COLUMNS.update(
    submitted_time={"data_type": "timestamp"}, financing_answer={"data_type": "bool"}, message_count={"data_type": "bigint"},
    fee_amount={"data_type": "decimal", "precision": 18, "scale": 4},
    fee_converted_from_amount={"data_type": "decimal", "precision": 18, "scale": 4}, messages={"data_type": "json"})


def row(listing, r):
    contact, fee = r.get("contactInformation") or {}, r.get("leadFee") or {}
    amount, exchange = fee.get("amount") or {}, (r.get("memberMessage") or {}).get("memberMessageExchange")
    return {
        "event_type": "snapshot", "account": "bench", "marketplace_id": "EBAY_DE",
        "item_id": listing.get("itemId"), "item_title": listing.get("itemTitle"),
        "submitted_time": r.get("submittedTime"), "lead_status": r.get("leadStatus"), "user_id": r.get("userId"),
        "email": r.get("email"), "external_email": r.get("externalEmail"),
        "first_name": contact.get("firstName"), "last_name": contact.get("lastName"),
        "phone": contact.get("phone"), "postal_code": contact.get("postalCode"),
        "additional_information": r.get("additionalInformation"), "financing_answer": r.get("financingAnswer"),
        "trade_in_make": r.get("tradeInMake"), "trade_in_model": r.get("tradeInModel"), "trade_in_year": r.get("tradeInYear"),
        "fee_amount": amount.get("value"), "fee_currency": amount.get("currency"),
        "fee_converted_from_amount": amount.get("convertedFromValue"),
        "fee_converted_from_currency": amount.get("convertedFromCurrency"), "fee_description": fee.get("description"),
        "message_count": len(exchange or ()),
        "messages": exchange and [
            {"message_id": (m.get("question") or {}).get("messageID"), "created_at": m.get("creationDate"),
             "question": (m.get("question") or {}).get("body"), "response": m.get("response")} for m in exchange],
    }


def cpu():
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def main():
    parser = argparse.ArgumentParser()
    for name in ("api", "token-url", "from", "to", "out", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--hours", type=float, required=True)
    args = parser.parse_args()
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt
    from dlt.sources.helpers import requests

    begun, used = time.perf_counter(), cpu()
    form = "%Y-%m-%dT%H:%M:%SZ"
    start, end = (datetime.strptime(t, form).replace(tzinfo=timezone.utc) for t in (getattr(args, "from"), args.to))

    @dlt.resource(name="leads", columns=COLUMNS, max_table_nesting=0, write_disposition="replace")
    def leads():
        answer = requests.post(args.token_url, auth=("simulator", os.environ["LEADS_ETL_EBAY_CLIENT_SECRET"]), data={
            "grant_type": "client_credentials", "scope": "https://api.ebay.com/oauth/api_scope/sell.leads"})
        headers = {"Authorization": "Bearer " + answer.json()["access_token"], "X-EBAY-C-MARKETPLACE-ID": "EBAY_DE"}
        at = start
        while at < end:
            until = min(at + timedelta(hours=args.hours), end)
            answer = requests.get(args.api + "/classified_lead", headers=headers, params={
                "startTime": at.strftime(form), "endTime": (until - timedelta(seconds=1)).strftime(form), "includeMessages": "true"})
            yield [row(listing, r) for listing in answer.json()["classifiedLeads"] for r in listing["responses"]]
            at = until

    pipeline = dlt.pipeline("bench", pipelines_dir=args.work, dataset_name="leads",
                            destination=dlt.destinations.filesystem("file://" + os.path.abspath(args.out)))
    pipeline.run(leads(), loader_file_format="parquet").raise_on_failed_jobs()
    print(json.dumps({"version": "dlt " + dlt.__version__, "seconds": time.perf_counter() - begun, "cpu": cpu() - used}))


if __name__ == "__main__":
    main()
