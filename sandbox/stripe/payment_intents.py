"""Payment intents: create, update, confirm, capture, cancel, and lapse at the end of the authorization.

The state machine of money. It must not write charges itself (charges.py) nor judge cards (authorization.py).
"""

from sandbox.stripe import charges, objects
from sandbox.stripe.attempts import attempt, fail
from sandbox.stripe.cards import Decline
from sandbox.stripe.context import Context
from sandbox.stripe.errors import Obj, bad_request, unexpected_state
from sandbox.stripe.intent_params import CONFIRM_ONLY
from sandbox.stripe.money import check_amount, check_currency, shown
from sandbox.stripe.params import merge_metadata
from sandbox.stripe.payment_methods import card_of, chargeable, existing_customer, from_data, spent_error
from sandbox.stripe.reviews import close_review
from sandbox.stripe.store import Record

MAX_CAPTURES = 50
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")

CONFIRM_FIELDS = frozenset(CONFIRM_ONLY)


def create(ctx: Context, params: Obj) -> Obj:
    currency = check_currency(params["currency"])
    amount = check_amount(params["amount"], currency)
    if not params.get("confirm"):
        for name in sorted(CONFIRM_FIELDS & params.keys()):
            if name != "use_stripe_sdk":
                raise bad_request(f"You cannot set `{name}` without setting `confirm=true`.", None, name)
    record = Record(objects.payment_intent(amount, currency, ctx.now()), {"idempotency_key": ctx.idempotency_key})
    if "automatic_payment_methods" in params:
        record.body["automatic_payment_methods"] = {"allow_redirects": "always", **params["automatic_payment_methods"]}
    ctx.store.insert(record)
    _apply(ctx, record, params)
    ctx.store.save(record)
    ctx.emit("payment_intent.created", record.body)
    if params.get("confirm"):
        _attempt(ctx, record, params)
    return record.body


def retrieve(ctx: Context, params: Obj, intent: str) -> Obj:
    record = ctx.store.get("payment_intent", intent, "intent")
    _check_secret(record, params)
    return record.body


def list_all(ctx: Context, params: Obj) -> Obj:
    if "customer" in params:
        ctx.store.get("customer", params["customer"], "customer")
    return ctx.store.page("payment_intent", "/v1/payment_intents", params, customer=params.get("customer"))


def update(ctx: Context, params: Obj, intent: str) -> Obj:
    record = ctx.store.get("payment_intent", intent, "intent")
    fixed = set(params) - {"expand", "metadata", "description", "receipt_email", "shipping"}
    editable = ("requires_payment_method", "requires_confirmation", "requires_action")
    if fixed and record.body["status"] not in editable:
        message = (
            "This PaymentIntent's parameters could not be updated because it has a status of "
            f"{record.body['status']}. You may only update it when it has one of: {', '.join(editable)}."
        )
        raise unexpected_state(message, record.body)
    _apply(ctx, record, params)
    ctx.store.save(record)
    return record.body


def confirm(ctx: Context, params: Obj, intent: str) -> Obj:
    record = ctx.store.get("payment_intent", intent, "intent")
    _check_secret(record, params)
    status = record.body["status"]
    if status not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        why = (
            "it has already succeeded after being previously confirmed" if status == "succeeded" else f"it is {status}"
        )
        raise unexpected_state(f"You cannot confirm this PaymentIntent because {why}.", record.body)
    _apply(ctx, record, params)
    ctx.store.save(record)
    _attempt(ctx, record, params)
    return record.body


def capture(ctx: Context, params: Obj, intent: str) -> Obj:
    record = ctx.store.get("payment_intent", intent, "intent")
    body = record.body
    if body["status"] != "requires_capture":
        message = (
            f"This PaymentIntent could not be captured because it has a status of {body['status']}. "
            "Only a PaymentIntent with one of the following statuses may be captured: requires_capture."
        )
        raise unexpected_state(message, body)
    charge = ctx.store.get("charge", body["latest_charge"])
    final = params.get("final_capture", True)
    amount = params.get("amount_to_capture", body["amount_capturable"])
    _check_capture(body, charge, amount, final=final)
    for name in ("statement_descriptor", "statement_descriptor_suffix"):
        if name in params:
            body[name] = params[name]
    if "metadata" in params:
        body["metadata"] = merge_metadata(body["metadata"], params["metadata"])
    _settle(ctx, record, charge, amount, final=final)
    return body


def cancel(ctx: Context, params: Obj, intent: str) -> Obj:
    record = ctx.store.get("payment_intent", intent, "intent")
    body = record.body
    if body["status"] not in CANCELABLE:
        message = (
            f"You cannot cancel this PaymentIntent because it has a status of {body['status']}. Only a PaymentIntent "
            f"with one of the following statuses may be canceled: {', '.join(CANCELABLE)}."
        )
        raise unexpected_state(message, body)
    if body["amount_received"]:
        message = (
            "The Shelfway Stripe sandbox does not cancel a partially captured PaymentIntent: release the rest with "
            "amount_to_capture=0 and final_capture=true, as Stripe documents."
        )
        raise unexpected_state(message, body)
    _void(ctx, record, params.get("cancellation_reason"))
    return body


def lapse(ctx: Context, record: Record) -> None:
    """The authorization's window is over: what was not captured is released."""
    record.due = None
    body = record.body
    if body["status"] != "requires_capture":
        ctx.store.save(record)
        return
    charge = ctx.store.get("charge", body["latest_charge"])
    if body["amount_received"]:
        _settle(ctx, record, charge, 0, final=True)
        return
    ctx.emit("charge.expired", charge.body)
    _void(ctx, record, "expired")


def authenticate(ctx: Context, record: Record, *, passed: bool) -> None:
    """The customer has passed or failed 3-D Secure on an intent that requires action; declines are its state."""
    if passed:
        decline = attempt(ctx, record, {**record.private.get("confirm", {}), "passed": True})
        if decline is None:
            return
    else:
        failed = (
            "We are unable to authenticate your payment method. Please choose a different payment method and try again."
        )
        decline = Decline("payment_intent_authentication_failure", None, failed)
    fail(ctx, record, decline)


def _attempt(ctx: Context, record: Record, params: Obj) -> None:
    if record.body["payment_method"] is None:
        message = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. Update the PaymentIntent "
            "with a payment method or provide one with this call."
        )
        raise unexpected_state(message, record.body)
    decline = attempt(ctx, record, {name: params[name] for name in CONFIRM_FIELDS if name in params})
    if decline is not None:
        raise fail(ctx, record, decline)


def _settle(ctx: Context, record: Record, charge: Record, amount: int, *, final: bool) -> None:
    """Captures on the charge and carries the sums to the intent."""
    body = record.body
    method = ctx.store.get("payment_method", body["payment_method"])
    charges.capture(ctx, charge, card_of(method), amount, final=final)
    previous = {"amount_capturable": body["amount_capturable"]}
    body["amount_received"] = charge.body["amount_captured"]
    body["amount_capturable"] = 0 if final else body["amount_capturable"] - amount
    if final:
        body["status"] = "succeeded"
        record.due = None
    ctx.store.save(record)
    ctx.emit("payment_intent.amount_capturable_updated", body, previous)
    if final:
        ctx.emit("payment_intent.succeeded", body)


def _void(ctx: Context, record: Record, reason: str | None) -> None:
    record.due = None
    body = record.body
    body.update(status="canceled", canceled_at=ctx.now(), cancellation_reason=reason)
    ctx.change(record, amount_capturable=0, next_action=None)
    ctx.emit("payment_intent.canceled", body)
    if body["review"]:
        close_review(ctx, body["review"], "canceled")


def _check_capture(body: Obj, charge: Record, amount: int, *, final: bool) -> None:
    available = charge.body["payment_method_details"]["card"]["multicapture"]["status"] == "available"
    if not final and not available:
        message = "You may only set `final_capture` to false when multicapture is available for the PaymentIntent."
        raise bad_request(message, None, "final_capture", payment_intent=body)
    releases = amount == 0 and final and body["amount_received"] > 0
    if not releases:
        check_amount(amount, body["currency"], "amount_to_capture")
    if amount > body["amount_capturable"]:
        message = (
            f"The amount_to_capture ({shown(amount, body['currency'])}) is greater than the remaining capturable "
            f"amount ({shown(body['amount_capturable'], body['currency'])})."
        )
        raise bad_request(message, "amount_too_large", "amount_to_capture", payment_intent=body)
    if len(charge.private["captures"]) >= MAX_CAPTURES and not releases:
        message = f"A PaymentIntent may be captured at most {MAX_CAPTURES} times."
        raise bad_request(message, None, None, payment_intent=body)


def _check_secret(record: Record, params: Obj) -> None:
    secret = params.get("client_secret")
    if secret is not None and secret != record.body["client_secret"]:
        message = "The client_secret provided does not match any associated PaymentIntent."
        raise bad_request(message, "payment_intent_invalid_parameter", "client_secret")


def _apply(ctx: Context, record: Record, params: Obj) -> None:
    """Parameters to the body, each checked against the others."""
    body = record.body
    plain = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix")
    body.update({name: params[name] for name in (*plain, "capture_method", "setup_future_usage") if name in params})
    if "metadata" in params:
        body["metadata"] = merge_metadata(body["metadata"], params["metadata"])
    if "shipping" in params:
        given = params["shipping"]
        body["shipping"] = given and {"carrier": None, "phone": None, "tracking_number": None, **given}
    body["payment_method_options"]["card"].update(params.get("payment_method_options", {}).get("card", {}))
    if "currency" in params or "amount" in params:
        body["currency"] = check_currency(params.get("currency", body["currency"]))
        body["amount"] = check_amount(params.get("amount", body["amount"]), body["currency"])
    if "customer" in params:
        body["customer"] = existing_customer(ctx, params["customer"]).id
    _choose_method(ctx, body, params)


def _choose_method(ctx: Context, body: Obj, params: Obj) -> None:
    if "payment_method_data" in params:
        method = from_data(ctx, params["payment_method_data"])
    elif "payment_method" in params:
        method = chargeable(ctx, params["payment_method"])
    else:
        return
    owner = method.body["customer"]
    if owner is not None and owner != body["customer"]:
        message = (
            f"The provided PaymentMethod ({method.id}) belongs to the Customer {owner}. "
            "Please include the Customer in the `customer` parameter on the PaymentIntent."
        )
        raise bad_request(message, None, "payment_method")
    if owner is None and method.private.get("spent"):
        raise spent_error()
    body["payment_method"] = method.id
    body["next_action"] = None
    if body["status"] in ("requires_payment_method", "requires_action"):
        body["status"] = "requires_confirmation"
