"""Setup intents: a card is saved for later, with 3-D Secure where it asks for that."""

from sandbox.stripe import objects
from sandbox.stripe.attempts import AUTHENTICATION_FAILED, next_action
from sandbox.stripe.authorization import decide_setup
from sandbox.stripe.cards import Decline
from sandbox.stripe.context import Context
from sandbox.stripe.errors import Obj, StripeError, bad_request, unexpected_state
from sandbox.stripe.params import merge_metadata
from sandbox.stripe.payment_methods import attach_to, card_error, card_of, chargeable, existing_customer, from_data
from sandbox.stripe.store import Record

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(ctx: Context, params: Obj) -> Obj:
    if "return_url" in params and not params.get("confirm"):
        raise bad_request("You cannot set `return_url` without setting `confirm=true`.", None, "return_url")
    record = Record(objects.setup_intent(ctx.now()))
    record.body["usage"] = params.get("usage", "off_session")
    if "automatic_payment_methods" in params:
        record.body["automatic_payment_methods"] = {"allow_redirects": "always", **params["automatic_payment_methods"]}
    ctx.store.insert(record)
    _apply(ctx, record, params)
    ctx.store.save(record)
    ctx.emit("setup_intent.created", record.body)
    if params.get("confirm"):
        _confirm(ctx, record, params)
    return record.body


def retrieve(ctx: Context, params: Obj, intent: str) -> Obj:
    record = ctx.store.get("setup_intent", intent, "intent")
    _check_secret(record, params)
    return record.body


def list_all(ctx: Context, params: Obj) -> Obj:
    filters = {name: params.get(name) for name in ("customer", "payment_method")}
    return ctx.store.page("setup_intent", "/v1/setup_intents", params, **filters)


def update(ctx: Context, params: Obj, intent: str) -> Obj:
    record = ctx.store.get("setup_intent", intent, "intent")
    _apply(ctx, record, params)
    ctx.store.save(record)
    return record.body


def confirm(ctx: Context, params: Obj, intent: str) -> Obj:
    record = ctx.store.get("setup_intent", intent, "intent")
    _check_secret(record, params)
    if record.body["status"] not in OPEN:
        message = f"You cannot confirm this SetupIntent because it has a status of {record.body['status']}."
        raise unexpected_state(message, record.body)
    _apply(ctx, record, params)
    ctx.store.save(record)
    _confirm(ctx, record, params)
    return record.body


def cancel(ctx: Context, params: Obj, intent: str) -> Obj:
    record = ctx.store.get("setup_intent", intent, "intent")
    if record.body["status"] not in OPEN:
        message = f"You cannot cancel this SetupIntent because it has a status of {record.body['status']}."
        raise unexpected_state(message, record.body)
    ctx.change(record, status="canceled", cancellation_reason=params.get("cancellation_reason"), next_action=None)
    ctx.emit("setup_intent.canceled", record.body)
    return record.body


def authenticate(ctx: Context, record: Record, *, passed: bool) -> None:
    """The customer has passed or failed 3-D Secure."""
    if passed:
        _succeed(ctx, record, ctx.store.get("payment_method", record.body["payment_method"]))
        return
    _fail(ctx, record, Decline("setup_intent_authentication_failure", None, AUTHENTICATION_FAILED))


def _confirm(ctx: Context, record: Record, params: Obj) -> None:
    body = record.body
    if body["payment_method"] is None:
        message = "You cannot confirm this SetupIntent because it's missing a payment method."
        raise unexpected_state(message, body)
    method = ctx.store.get("payment_method", body["payment_method"])
    asked = body["payment_method_options"]["card"]["request_three_d_secure"] in ("any", "challenge")
    verdict = decide_setup(card_of(method), asks_challenge=asked)
    if isinstance(verdict, Decline):
        raise _fail(ctx, record, verdict)
    if verdict == "challenge":
        ctx.change(record, status="requires_action", next_action=next_action(ctx, body, params.get("return_url")))
        ctx.emit("setup_intent.requires_action", body)
    else:
        _succeed(ctx, record, method)


def _succeed(ctx: Context, record: Record, method: Record) -> None:
    method.private["set_up"] = record.body["usage"] == "off_session"
    ctx.store.save(method)
    if record.body["customer"]:
        attach_to(ctx, method, record.body["customer"])
    ctx.change(record, status="succeeded", next_action=None, last_setup_error=None)
    ctx.emit("setup_intent.succeeded", record.body)


def _fail(ctx: Context, record: Record, decline: Decline) -> StripeError:
    body = record.body
    method = ctx.store.get("payment_method", body["payment_method"])
    error = card_error(decline, payment_method=method.body)
    body["payment_method"] = None
    ctx.change(record, status="requires_payment_method", next_action=None, last_setup_error=error.body()["error"])
    ctx.emit("setup_intent.setup_failed", body)
    error.extra["setup_intent"] = body
    return error


def _check_secret(record: Record, params: Obj) -> None:
    secret = params.get("client_secret")
    if secret is not None and secret != record.body["client_secret"]:
        raise bad_request(
            "The client_secret provided does not match any associated SetupIntent.", None, "client_secret"
        )


def _apply(ctx: Context, record: Record, params: Obj) -> None:
    body = record.body
    if "description" in params:
        body["description"] = params["description"]
    if "metadata" in params:
        body["metadata"] = merge_metadata(body["metadata"], params["metadata"])
    body["payment_method_options"]["card"].update(params.get("payment_method_options", {}).get("card", {}))
    if "customer" in params:
        body["customer"] = existing_customer(ctx, params["customer"]).id
    if "payment_method_data" in params:
        method = from_data(ctx, params["payment_method_data"])
    elif "payment_method" in params:
        method = chargeable(ctx, params["payment_method"])
    else:
        return
    body["payment_method"] = method.id
    if body["status"] == "requires_payment_method":
        body["status"] = "requires_confirmation"
