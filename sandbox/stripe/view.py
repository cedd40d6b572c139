"""The ledger as an oracle reads it: every payment intent with its captures, refunds and disputes. Reads only."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sandbox.ledger import Ledger
from sandbox.stripe.errors import Obj

INTENT = (
    "id", "status", "amount", "amount_capturable", "amount_received", "currency", "capture_method", "customer",
    "payment_method", "latest_charge", "cancellation_reason", "setup_future_usage", "metadata", "created",
)  # fmt: skip
REFUND = ("id", "amount", "status", "reason", "charge", "metadata", "created")
DISPUTE = ("id", "amount", "status", "reason", "charge")


def view(ledger: Ledger, query: Mapping[str, str]) -> Obj:
    """Filters: `metadata[...]`, `customer`, `status`, `id`; oldest first."""
    where, values = ["kind = 'payment_intent'"], []
    for name, value in query.items():
        field = name.replace("[", ".").rstrip("]")
        if not field.replace(".", "").replace("_", "").isalnum():
            continue
        where.append("customer = ?" if name == "customer" else f"json_extract(body, '$.{field}') = ?")
        values.append(value)
    condition = " AND ".join(where)
    intents = ledger.all(f"SELECT body, private FROM objects WHERE {condition} ORDER BY seq", values)  # noqa: S608
    related = ledger.all(
        "SELECT kind, payment_intent, body, private FROM objects WHERE kind IN ('charge', 'refund', 'dispute')"  # noqa: S608
        f" AND payment_intent IN (SELECT id FROM objects WHERE {condition}) ORDER BY seq",
        values,
    )
    by_intent: dict[tuple[str, str], list[tuple[Obj, Obj]]] = defaultdict(list)
    for row in related:
        by_intent[row["kind"], row["payment_intent"]].append((json.loads(row["body"]), json.loads(row["private"])))
    return {"intents": [_intent(json.loads(r["body"]), json.loads(r["private"]), by_intent) for r in intents]}


def _intent(body: Obj, private: Obj, related: Mapping[tuple[str, str], list[tuple[Obj, Obj]]]) -> Obj:
    attempts = related.get(("charge", body["id"]), [])
    captures: list[Any] = [capture for _, hidden in attempts for capture in hidden.get("captures", [])]
    card = next((c["payment_method_details"]["card"] for c, _ in attempts if c["id"] == body["latest_charge"]), {})
    return {
        **_some(body, INTENT),
        "idempotency_key": private.get("idempotency_key"),
        "multicapture": card.get("multicapture", {}).get("status"),
        "capture_before": card.get("capture_before"),
        "attempts": [_some(charge, ("id", "status", "amount", "failure_code", "created")) for charge, _ in attempts],
        "captures": captures,
        "refunds": [
            {**_some(refund, REFUND), "idempotency_key": hidden.get("idempotency_key")}
            for refund, hidden in related.get(("refund", body["id"]), [])
        ],
        "disputes": [_some(dispute, DISPUTE) for dispute, _ in related.get(("dispute", body["id"]), [])],
    }


def _some(body: Obj, names: tuple[str, ...]) -> Obj:
    return {name: body[name] for name in names}
