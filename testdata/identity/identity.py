"""Recomputes content_hash, lead_id and event_id of rows: python3 identity.py [ordinal] < rows.ndjson"""
import decimal, hashlib, json, sys, uuid

NS = uuid.uuid5(uuid.NAMESPACE_URL, "https://api.ebay.com/sell/leads")
EXACT = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
OURS = ("event_id event_type lead_id lead_version account marketplace_id "
        "changed_fields content_hash extracted_at schema_version").split()

def load(text):
    return json.loads(text, parse_int=decimal.Decimal, parse_float=decimal.Decimal)

def canonical(v):
    if isinstance(v, dict):
        return "{" + ",".join(canonical(k) + ":" + canonical(v[k]) for k in sorted(v)) + "}"
    if isinstance(v, list):
        return "[" + ",".join(map(canonical, v)) + "]"
    if isinstance(v, decimal.Decimal):
        return str(v.normalize(EXACT)) if v else "0"
    return json.dumps(v, ensure_ascii=False)

def content_hash(row):
    c = {k: v for k, v in row.items() if k not in OURS}
    for amount in {"fee_amount", "fee_converted_from_amount"} & c.keys():
        c[amount] = f"{decimal.Decimal(c[amount]).normalize() + 0:f}"
    for o in [c, *c.get("messages", [])]:
        o.update({k: o[k][:19] + "Z" for k in ("submitted_time", "created_at") if k in o})
    c.get("messages", []).sort(key=canonical)
    c.update({k: load(c[k]) for k in ("extra",) if k in c})
    return hashlib.sha256(canonical(c).encode("utf-8", "backslashreplace")).hexdigest()

def lead_id(row, ordinal=1):
    buyer = next((row[k] for k in ("user_id", "external_email", "email", "phone") if row.get(k)), "")
    parts = [row.get("item_id", ""), row.get("submitted_time", ""), buyer, row.get("additional_information", "")]
    return str(uuid.uuid5(NS, "\n".join(parts + [str(ordinal)] * (ordinal > 1))))

def event_id(row):
    parts = [row["lead_id"], row["event_type"], row["content_hash"], str(row.get("lead_version", ""))]
    return str(uuid.uuid5(NS, "\n".join(parts)))

if __name__ == "__main__":
    for line in sys.stdin.buffer:
        row = load(line)
        print(content_hash(row), lead_id(row, int((sys.argv + [1, 1])[1])), event_id(row))
