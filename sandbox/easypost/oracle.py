"""The ledger as an oracle reads it: what was asked for, what was bought, what it cost. Minor units, by currency."""

from collections.abc import Mapping
from typing import Any

from sandbox.easypost.shapes import Json, stamp
from sandbox.ledger import Ledger

_WHERE = "(? = '' OR substr(s.reference, 1, length(?)) = ?)"
_ROWS = f"""
SELECT s.*, t.status AS tracker_status, t.scanned, t.id AS tracker_id,
       (SELECT count(*) FROM refunds r WHERE r.shipment_id = s.id) AS refund_requests
FROM shipments s LEFT JOIN trackers t ON t.shipment_id = s.id
WHERE {_WHERE} AND s.seq > ? ORDER BY s.seq LIMIT ?
"""  # noqa: S608
_TOTALS = f"""
SELECT currency, count(*) AS labels, sum(postage) AS postage, sum(insurance) AS insurance,
       sum(CASE WHEN refund_status = 'refunded' THEN postage ELSE 0 END) AS refunded,
       sum(CASE WHEN refund_status = 'submitted' THEN postage ELSE 0 END) AS refund_pending
FROM shipments s WHERE {_WHERE} AND bought IS NOT NULL GROUP BY currency
"""  # noqa: S608
MAX_ROWS = 100_000


def view(ledger: Ledger, query: Mapping[str, str]) -> Json:
    """`?reference_prefix=` filters, `?after=` (a seq) and `?limit=` page; oldest first."""
    prefix = query.get("reference_prefix", "")
    after, limit = int(query.get("after", 0)), int(query.get("limit", MAX_ROWS))
    rows = ledger.all(_ROWS, (prefix, prefix, prefix, after, limit))
    totals = ledger.all(_TOTALS, (prefix, prefix, prefix))
    return {
        "shipments": [_shipment(dict(row)) for row in rows],
        "totals": {row["currency"]: _total(dict(row)) for row in totals},
    }


def _shipment(row: Mapping[str, Any]) -> Json:
    bought = row["bought"] is not None
    return {
        "seq": row["seq"],
        "id": row["id"],
        "reference": row["reference"],
        "created_at": stamp(row["created"]),
        "labels": [_label(row)] if bought else [],
        "postage": row["postage"] or 0,
        "insurance": row["insurance"],
        "currency": row["currency"],
        "refund_status": row["refund_status"],
        "refund_requests": row["refund_requests"],
        "tracking_code": row["tracking_code"],
        "tracker_id": row["tracker_id"],
        "status": row["tracker_status"] or "unknown",
        "scanned": bool(row["scanned"]),
    }


def _label(row: Mapping[str, Any]) -> Json:
    names = ("carrier", "service", "postage", "currency", "tracking_code", "refund_status")
    return {"id": row["label_id"], "bought_at": stamp(row["bought"]), **{name: row[name] for name in names}}


def _total(row: Mapping[str, Any]) -> Json:
    names = ("labels", "postage", "insurance", "refunded", "refund_pending")
    return {**{name: row[name] for name in names}, "net": row["postage"] + row["insurance"] - row["refunded"]}
