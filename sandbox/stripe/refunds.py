"""Refunds: partial and full, never more than was captured; pending and failing ones settle by the sandbox's clock."""

from sandbox.stripe import objects
from sandbox.stripe.balance import book
from sandbox.stripe.cards import card_of_token
from sandbox.stripe.context import Context
from sandbox.stripe.disputes import refusal_to_refund
from sandbox.stripe.errors import Obj, StripeError, bad_request
from sandbox.stripe.money import check_amount, shown
from sandbox.stripe.params import EXPAND, PAGE, Parse, choice, integer, merge_metadata, metadata, missing_here, text
from sandbox.stripe.reviews import close_review
from sandbox.stripe.store import Record

CREATE: dict[str, Parse] = {
    **EXPAND,
    "amount": integer,
    "charge": text,
    "payment_intent": text,
    "metadata": metadata,
    "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
    **missing_here(
        "currency", "customer", "instructions_email", "origin", "refund_application_fee", "reverse_transfer"
    ),
}
UPDATE: dict[str, Parse] = {**EXPAND, "metadata": metadata}
LIST: dict[str, Parse] = {**PAGE, "charge": text, "payment_intent": text}


def create(ctx: Context, params: Obj) -> Obj:
    charge = _refundable_charge(ctx, params)
    refused = refusal_to_refund(ctx, charge)
    if refused:
        raise bad_request(refused, "charge_disputed")
    amount = _amount(charge.body, params.get("amount"))
    body = objects.refund(charge.body, amount, ctx.now())
    body["metadata"] = merge_metadata({}, params.get("metadata", {}))
    body["reason"] = params.get("reason")
    record = Record(body, {"idempotency_key": ctx.idempotency_key})
    behaviour = _behaviour(charge)
    if behaviour != "succeeds":
        record.due = ctx.sandbox.clock.now() + float(ctx.settings["refund_settles_after"])
        record.private["settles"] = behaviour
    if behaviour == "pending":
        body.update(status="pending", pending_reason="processing")
    ctx.store.insert(record)
    ctx.change(record, balance_transaction=book(ctx, record, "refund", -amount))
    _move(ctx, charge, amount)
    ctx.emit("refund.created", body)
    ctx.emit("charge.refunded", charge.body, {"amount_refunded": charge.body["amount_refunded"] - amount})
    if charge.body["review"] and charge.body["refunded"]:
        close_review(ctx, charge.body["review"], "refunded")
    return body


def retrieve(ctx: Context, _: Obj, refund: str) -> Obj:
    return ctx.store.get("refund", refund).body


def retrieve_of_charge(ctx: Context, _: Obj, charge: str, refund: str) -> Obj:
    record = ctx.store.get("refund", refund)
    if record.body["charge"] != charge:
        raise bad_request(f"The refund {refund} does not belong to charge {charge}.")
    return record.body


def update(ctx: Context, params: Obj, refund: str) -> Obj:
    record = ctx.store.get("refund", refund)
    if "metadata" in params:
        ctx.change(record, metadata=merge_metadata(record.body["metadata"], params["metadata"]))
    ctx.emit("refund.updated", record.body)
    return record.body


def list_all(ctx: Context, params: Obj) -> Obj:
    filters = {name: params.get(name) for name in ("charge", "payment_intent")}
    return ctx.store.page("refund", "/v1/refunds", params, **filters)


def list_of_charge(ctx: Context, params: Obj, charge: str) -> Obj:
    ctx.store.get("charge", charge)
    return ctx.store.page("refund", f"/v1/charges/{charge}/refunds", params, charge=charge)


def settle(ctx: Context, record: Record) -> None:
    """When its time has come: a pending one succeeds, a failing one fails and its amount may be refunded again."""
    behaviour = record.private.pop("settles", None)
    record.due = None
    body = record.body
    body.pop("pending_reason", None)
    if behaviour == "fails":
        failure = book(ctx, record, "refund_failure", body["amount"])
        body.update(failure_reason="expired_or_canceled_card", failure_balance_transaction=failure)
        ctx.change(record, status="failed")
        charge = ctx.store.get("charge", body["charge"])
        _move(ctx, charge, -body["amount"])
        ctx.emit("refund.failed", body)
        ctx.emit("charge.updated", charge.body, {"amount_refunded": charge.body["amount_refunded"] + body["amount"]})
    else:
        previous = body["status"]
        ctx.change(record, status="succeeded")
        ctx.emit("refund.updated", body, {"status": previous})


def _refundable_charge(ctx: Context, params: Obj) -> Record:
    intent, charge = params.get("payment_intent"), params.get("charge")
    if intent is None and charge is None:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise bad_request(message, "parameter_missing")
    if intent is not None:
        latest = ctx.store.get("payment_intent", intent, "payment_intent").body["latest_charge"]
        if charge is not None and charge != latest:
            raise bad_request(f"Charge {charge} is not a charge of {intent}.", None, "charge")
        if latest is None:
            raise _nothing_to_refund(f"This PaymentIntent ({intent}) does not have a successful charge to refund.")
        charge = latest
    record = ctx.store.get("charge", str(charge), "charge")
    if record.body["amount_captured"] == 0:
        name = f"This PaymentIntent ({intent})" if intent else f"Charge {charge}"
        raise _nothing_to_refund(f"{name} does not have a captured charge to refund. Cancel the PaymentIntent instead.")
    return record


def _nothing_to_refund(message: str) -> StripeError:
    return bad_request(message, "charge_not_refundable")


def _amount(charge: Obj, asked: int | None) -> int:
    currency = charge["currency"]
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise bad_request(f"Charge {charge['id']} has already been refunded.", "charge_already_refunded")
    if asked is None:
        return left
    check_amount(asked, currency)
    if asked > charge["amount_captured"]:
        captured = shown(charge["amount_captured"], currency)
        message = f"Refund amount ({shown(asked, currency)}) is greater than charge amount ({captured})"
        raise bad_request(message, None, "amount")
    if asked > left:
        message = (
            f"Refund amount ({shown(asked, currency)}) is greater than unrefunded amount on charge "
            f"({shown(left, currency)})"
        )
        raise bad_request(message, None, "amount")
    return asked


def _behaviour(charge: Record) -> str:
    card = card_of_token(f"pm_card_{charge.private['token']}")
    return card.refund if card else "succeeds"


def _move(ctx: Context, charge: Record, amount: int) -> None:
    body = charge.body
    refunded = body["amount_refunded"] + amount
    whole = body["captured"] and refunded == body["amount_captured"]
    ctx.change(charge, amount_refunded=refunded, refunded=whole)
