"""One try to pay an intent: ask the card, then record what it said. Both confirm and 3-D Secure end here."""

from sandbox.stripe import charges
from sandbox.stripe.authorization import decide
from sandbox.stripe.cards import AUTHENTICATION_REQUIRED, Decline
from sandbox.stripe.context import Context
from sandbox.stripe.errors import Obj, StripeError
from sandbox.stripe.payment_methods import attach_to, card_error, card_of
from sandbox.stripe.store import Record

AUTHENTICATION_FAILED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


def attempt(ctx: Context, record: Record, options: Obj) -> Decline | None:
    """Approves, asks the customer to authenticate (None both), or returns the decline, its failed charge recorded.

    `options`: off_session, return_url, error_on_requires_action as the caller confirmed, and passed.
    """
    body = record.body
    method = ctx.store.get("payment_method", body["payment_method"])
    card = card_of(method)
    off_session = bool(options.get("off_session"))
    passed = bool(options.get("passed"))
    asked = body["payment_method_options"]["card"]["request_three_d_secure"] in ("any", "challenge")
    set_up = bool(method.private.get("set_up"))
    verdict = decide(card, off_session=off_session, set_up=set_up, asks_challenge=asked, passed=passed)
    if verdict == "challenge" and options.get("error_on_requires_action"):
        verdict = AUTHENTICATION_REQUIRED
    if isinstance(verdict, Decline):
        charge = charges.declined(ctx, body, method.body, card, verdict)
        body["latest_charge"] = charge.id
        return verdict
    if verdict == "challenge":
        record.private["confirm"] = options
        _require_action(ctx, record, options.get("return_url"))
        return None
    _remember(ctx, body, method, passed=passed)
    charge = charges.authorized(ctx, body, method.body, card, off_session=off_session, passed=passed)
    body.update(latest_charge=charge.id, next_action=None, last_payment_error=None, review=charge.body["review"])
    if body["capture_method"] == "manual":
        record.due = float(charge.body["payment_method_details"]["card"]["capture_before"])
        ctx.change(record, status="requires_capture", amount_capturable=body["amount"])
        ctx.emit("payment_intent.amount_capturable_updated", body, {"amount_capturable": 0})
    else:
        charges.capture(ctx, charge, card, body["amount"], final=True)
        ctx.change(record, status="succeeded", amount_received=body["amount"])
        ctx.emit("payment_intent.succeeded", body)
    return None


def fail(ctx: Context, record: Record, decline: Decline) -> StripeError:
    """The intent needs another payment method; gives the error that tells the caller."""
    body = record.body
    method = ctx.store.get("payment_method", body["payment_method"])
    charge = body["latest_charge"] if decline.code != "payment_intent_authentication_failure" else None
    error = card_error(decline, charge=charge, payment_method=method.body)
    body["payment_method"] = None
    ctx.change(record, status="requires_payment_method", next_action=None, last_payment_error=error.body()["error"])
    ctx.emit("payment_intent.payment_failed", body)
    error.extra["payment_intent"] = body
    return error


def next_action(ctx: Context, intent: Obj, return_url: str | None) -> Obj:
    """Where the customer authenticates: a page of this sandbox."""
    url = f"{ctx.base_url}/_3ds/{intent['id']}?client_secret={intent['client_secret']}"
    if return_url:
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url}}


def _require_action(ctx: Context, record: Record, return_url: str | None) -> None:
    ctx.change(record, status="requires_action", next_action=next_action(ctx, record.body, return_url))
    ctx.emit("payment_intent.requires_action", record.body)


def _remember(ctx: Context, intent: Obj, method: Record, *, passed: bool) -> None:
    """Saves the card where that was asked for; a card used once without a customer cannot be used again."""
    usage = intent["setup_future_usage"]
    if passed and usage == "off_session":
        method.private["set_up"] = True
    if usage and intent["customer"]:
        ctx.store.save(method)
        attach_to(ctx, method, intent["customer"])
    elif method.body["customer"] is None:
        method.private["spent"] = True
        ctx.store.save(method)
