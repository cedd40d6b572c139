"""Charges: one attempt of an intent on a card, its balance transactions, and what grows out of it.

A charge is written here and in refunds and disputes alone. Intents decide; this module records.
"""

from sandbox.stripe import objects
from sandbox.stripe.authorization import allows_multicapture, capture_window
from sandbox.stripe.balance import book
from sandbox.stripe.cards import Decline, TestCard
from sandbox.stripe.context import Context
from sandbox.stripe.disputes import dispute_charge
from sandbox.stripe.errors import Obj
from sandbox.stripe.params import EXPAND, PAGE, SHIPPING, Parse, merge_metadata, metadata, missing_here, text
from sandbox.stripe.reviews import open_review
from sandbox.stripe.store import Record, new_id

UPDATE: dict[str, Parse] = {
    **EXPAND,
    "description": text,
    "metadata": metadata,
    "receipt_email": text,
    "shipping": SHIPPING,
    **missing_here("customer", "fraud_details", "transfer_group"),
}
LIST: dict[str, Parse] = {**PAGE, "customer": text, "payment_intent": text, **missing_here("transfer_group")}


def retrieve(ctx: Context, _: Obj, charge: str) -> Obj:
    return ctx.store.get("charge", charge).body


def update(ctx: Context, params: Obj, charge: str) -> Obj:
    record = ctx.store.get("charge", charge)
    params.pop("expand", None)
    if "metadata" in params:
        params["metadata"] = merge_metadata(record.body["metadata"], params["metadata"])
    ctx.change(record, **params)
    ctx.emit("charge.updated", record.body)
    return record.body


def list_all(ctx: Context, params: Obj) -> Obj:
    filters = {name: params.get(name) for name in ("customer", "payment_intent")}
    return ctx.store.page("charge", "/v1/charges", params, **filters)


def declined(ctx: Context, intent: Obj, method: Obj, card: TestCard, decline: Decline) -> Record:
    """A failed attempt."""
    body = objects.charge(intent, method, ctx.now())
    blocked = card.risk == "highest"
    body.update(failure_code=decline.code, failure_message=decline.message)
    body["outcome"] = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "not_sent_to_network" if blocked else "declined_by_network",
        "reason": "highest_risk_level" if blocked else decline.decline_code or decline.code,
        "risk_level": "highest" if blocked else "normal",
        "risk_score": 90 if blocked else 20,
        "seller_message": "Stripe blocked this payment as too risky." if blocked else "The bank declined this payment.",
        "type": "blocked" if blocked else "issuer_declined",
    }
    record = ctx.store.insert(Record(body))
    ctx.emit("charge.failed", body)
    return record


def authorized(ctx: Context, intent: Obj, method: Obj, card: TestCard, *, off_session: bool, passed: bool) -> Record:
    """An approved attempt, not yet captured."""
    now = ctx.now()
    body = objects.charge(intent, method, now)
    elevated = card.risk == "elevated"
    body.update(paid=True, status="succeeded")
    body["outcome"] = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": "elevated_risk_level" if elevated else None,
        "risk_level": card.risk,
        "risk_score": 68 if elevated else 20,
        "seller_message": "Stripe evaluated this payment as having elevated risk." if elevated else "Payment complete.",
        "type": "manual_review" if elevated else "authorized",
    }
    detail = body["payment_method_details"]["card"]
    detail["checks"].update(cvc_check=card.cvc_check)
    if body["billing_details"]["address"]["postal_code"]:
        detail["checks"].update(address_postal_code_check=card.postal_check)
    if passed:
        detail["three_d_secure"] = _three_d_secure()
    if intent["capture_method"] == "manual":
        discover = float(ctx.settings["discover_window"])
        detail["capture_before"] = now + capture_window(card, off_session=off_session, discover=discover)
        requested = intent["payment_method_options"]["card"].get("request_multicapture") == "if_available"
        allowed = allows_multicapture(card, switched_on=bool(ctx.settings["multicapture"]), requested=requested)
        detail["multicapture"] = {"status": "available" if allowed else "unavailable"}
    record = ctx.store.insert(Record(body, {"token": card.token, "captures": []}))
    if elevated:
        open_review(ctx, record)
    ctx.emit("charge.succeeded", body)
    return record


def capture(ctx: Context, charge: Record, card: TestCard, amount: int, *, final: bool) -> None:
    """Takes `amount` of what was authorized; `final` releases the rest. The caller has checked that it fits."""
    body = charge.body
    previous: Obj = {}
    if amount:
        transaction = book(ctx, charge, "charge", amount, at_once=card.available_at_once)
        entry = {"amount": amount, "at": ctx.now(), "idempotency_key": ctx.idempotency_key, "final": final}
        charge.private["captures"].append({**entry, "balance_transaction": transaction})
        previous = {"amount_captured": body["amount_captured"]}
        if body["balance_transaction"] is None:
            previous["balance_transaction"] = None
            body["balance_transaction"] = transaction
        body["amount_captured"] += amount
    body["captured"] = final
    body["refunded"] = final and 0 < body["amount_captured"] == body["amount_refunded"]
    ctx.store.save(charge)
    if previous:
        ctx.emit("charge.updated", body, previous)
    if final:
        ctx.emit("charge.captured", body, {"captured": False})
        if card.dispute or card.fraud_warning:
            dispute_charge(ctx, charge, card)


def _three_d_secure() -> Obj:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_id("tds")[4:],
        "version": "2.2.0",
    }
