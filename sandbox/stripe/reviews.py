"""Radar reviews of payments with elevated risk: opened by a charge, approved by a person, closed by what follows."""

from sandbox.stripe.context import Context
from sandbox.stripe.errors import Obj, bad_request
from sandbox.stripe.store import Record, new_id


def retrieve(ctx: Context, _: Obj, review: str) -> Obj:
    return ctx.store.get("review", review).body


def list_all(ctx: Context, params: Obj) -> Obj:
    return ctx.store.page("review", "/v1/reviews", params, open=1)


def approve(ctx: Context, _: Obj, review: str) -> Obj:
    record = ctx.store.get("review", review)
    if not record.body["open"]:
        raise bad_request("This review has already been closed.")
    close_review(ctx, review, "approved")
    return ctx.store.get("review", review).body


def open_review(ctx: Context, charge: Record) -> None:
    """Radar asks a person."""
    body: Obj = {
        "id": new_id("prv"),
        "object": "review",
        "billing_zip": None,
        "charge": charge.id,
        "closed_reason": None,
        "created": ctx.now(),
        "ip_address": None,
        "ip_address_location": None,
        "livemode": False,
        "open": True,
        "opened_reason": "rule",
        "payment_intent": charge.body["payment_intent"],
        "reason": "rule",
        "session": None,
    }
    ctx.store.insert(Record(body))
    ctx.change(charge, review=body["id"])
    ctx.emit("review.opened", body)


def close_review(ctx: Context, review_id: str, reason: str) -> None:
    """Its end; no effect when it is closed already."""
    review = ctx.store.get("review", review_id)
    if review.body["open"]:
        ctx.change(review, open=False, closed_reason=reason, reason=reason)
        ctx.emit("review.closed", review.body)
