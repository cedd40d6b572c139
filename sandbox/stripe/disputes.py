"""Disputes, inquiries and early fraud warnings that the createDispute cards bring on, and how evidence ends them."""

from sandbox.stripe.authorization import DAY
from sandbox.stripe.balance import book
from sandbox.stripe.cards import TestCard
from sandbox.stripe.context import Context
from sandbox.stripe.errors import Obj, bad_request
from sandbox.stripe.params import EXPAND, PAGE, Parse, boolean, clearable, merge_metadata, metadata, nested, text
from sandbox.stripe.store import Record, new_id

FEE = 1500
WINNING, LOSING, ESCALATING = "winning_evidence", "losing_evidence", "escalate_inquiry_evidence"
OPEN = frozenset({"needs_response", "under_review", "warning_needs_response", "warning_under_review"})
TEXTS = (
    "access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal",
    "customer_email_address", "customer_name", "customer_purchase_ip", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "refund_policy_disclosure", "refund_refusal_explanation",
    "service_date", "shipping_address", "shipping_carrier", "shipping_date", "shipping_tracking_number",
    "uncategorized_text",
)  # fmt: skip
FILES = (
    "cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation", "receipt",
    "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file",
)  # fmt: skip

UPDATE: dict[str, Parse] = {
    **EXPAND,
    "evidence": nested(dict.fromkeys(TEXTS, clearable(text))),
    "metadata": metadata,
    "submit": boolean,
}
LIST: dict[str, Parse] = {**PAGE, "charge": text, "payment_intent": text}


def retrieve(ctx: Context, _: Obj, dispute: str) -> Obj:
    return ctx.store.get("dispute", dispute).body


def list_all(ctx: Context, params: Obj) -> Obj:
    filters = {name: params.get(name) for name in ("charge", "payment_intent")}
    return ctx.store.page("dispute", "/v1/disputes", params, **filters)


def update(ctx: Context, params: Obj, dispute: str) -> Obj:
    """Evidence; submitted unless `submit` is false. The magic texts close the dispute at once."""
    record = ctx.store.get("dispute", dispute)
    body = record.body
    if body["status"] not in OPEN:
        raise bad_request("This dispute is already closed.")
    if "metadata" in params:
        body["metadata"] = merge_metadata(body["metadata"], params["metadata"])
    body["evidence"].update(params.get("evidence", {}))
    body["evidence_details"]["has_evidence"] = any(body["evidence"][name] for name in TEXTS)
    submitted = "evidence" in params and params.get("submit", True)
    if submitted:
        body["evidence_details"]["submission_count"] += 1
        body["status"] = body["status"].replace("needs_response", "under_review")
    ctx.store.save(record)
    ctx.emit("charge.dispute.updated", body)
    if submitted:
        _judge(ctx, record, body["evidence"]["uncategorized_text"])
    return body


def close(ctx: Context, _: Obj, dispute: str) -> Obj:
    """Accepts it: lost."""
    record = ctx.store.get("dispute", dispute)
    if record.body["status"] not in OPEN:
        raise bad_request("This dispute is already closed.")
    _close(ctx, record, "warning_closed" if _is_inquiry(record) else "lost")
    return record.body


def list_warnings(ctx: Context, params: Obj) -> Obj:
    filters = {name: params.get(name) for name in ("charge", "payment_intent")}
    return ctx.store.page("radar.early_fraud_warning", "/v1/radar/early_fraud_warnings", params, **filters)


def retrieve_warning(ctx: Context, _: Obj, warning: str) -> Obj:
    return ctx.store.get("radar.early_fraud_warning", warning).body


def dispute_charge(ctx: Context, charge: Record, card: TestCard) -> None:
    """What the card's holder or issuer does right after the capture."""
    if card.fraud_warning:
        _warn(ctx, charge)
    if card.dispute:
        record = ctx.store.insert(Record(_dispute(ctx, charge, card)))
        ctx.emit("charge.dispute.created", record.body)
        if not card.inquiry:
            _withdraw(ctx, record, charge)


def refusal_to_refund(ctx: Context, charge: Record) -> str | None:
    """Why a disputed charge cannot be refunded now, if so."""
    for record in ctx.store.related("dispute", charge=charge.id):
        if not record.body["is_charge_refundable"]:
            return f"Charge {charge.id} has been charged back; cannot issue a refund."
    return None


def _judge(ctx: Context, record: Record, evidence: str | None) -> None:
    inquiry = _is_inquiry(record)
    if evidence == WINNING:
        _close(ctx, record, "warning_closed" if inquiry else "won")
    elif inquiry and evidence in (LOSING, ESCALATING):
        ctx.change(record, status="needs_response")
        ctx.emit("charge.dispute.updated", record.body)
        _withdraw(ctx, record, ctx.store.get("charge", record.body["charge"]))
    elif evidence == LOSING:
        _close(ctx, record, "lost")


def _close(ctx: Context, record: Record, status: str) -> None:
    ctx.change(record, status=status, is_charge_refundable=status != "lost")
    ctx.emit("charge.dispute.closed", record.body)
    if status == "won":
        record.body["balance_transactions"].append(_booked(ctx, record, record.body["amount"], -FEE))
        ctx.store.save(record)
        ctx.emit("charge.dispute.funds_reinstated", record.body)


def _withdraw(ctx: Context, record: Record, charge: Record) -> None:
    record.body["balance_transactions"].append(_booked(ctx, record, -record.body["amount"], FEE))
    record.body["payment_method_details"]["card"]["case_type"] = "chargeback"
    ctx.change(record, is_charge_refundable=False)
    ctx.change(charge, disputed=True)
    ctx.emit("charge.dispute.funds_withdrawn", record.body)


def _booked(ctx: Context, record: Record, amount: int, fee: int) -> Obj:
    transaction = book(ctx, record, "adjustment", amount, fee=fee, at_once=True)
    return ctx.store.get("balance_transaction", transaction).body


def _is_inquiry(record: Record) -> bool:
    return record.body["status"].startswith("warning_")


def _warn(ctx: Context, charge: Record) -> None:
    body: Obj = {
        "id": new_id("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": charge.id,
        "created": ctx.now(),
        "fraud_type": "made_with_stolen_card",
        "livemode": False,
        "payment_intent": charge.body["payment_intent"],
    }
    ctx.store.insert(Record(body))
    ctx.emit("radar.early_fraud_warning.created", body)


def _dispute(ctx: Context, charge: Record, card: TestCard) -> Obj:
    now = ctx.now()
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": charge.body["amount_captured"],
        "balance_transactions": [],
        "charge": charge.id,
        "created": now,
        "currency": charge.body["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(TEXTS + FILES), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + 9 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": card.inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge.body["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": card.brand,
                "case_type": "inquiry" if card.inquiry else "chargeback",
                "network": card.brand,
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": card.dispute,
        "status": "warning_needs_response" if card.inquiry else "needs_response",
    }
