"""Payment methods: cards only, by pm_card_ token, tok_ token or (in test) raw number."""

import re
from datetime import UTC, datetime

from sandbox.stripe import objects
from sandbox.stripe.cards import BY_NUMBER, GENERIC, LIVE_CARD, Decline, TestCard, card_of_token, passes_luhn
from sandbox.stripe.context import Context
from sandbox.stripe.errors import Obj, StripeError, bad_request, not_found
from sandbox.stripe.params import (
    ADDRESS,
    EXPAND,
    PAGE,
    Parse,
    choice,
    clearable,
    integer,
    merge_metadata,
    metadata,
    missing_here,
    nested,
    only,
    text,
)
from sandbox.stripe.store import Record

_BILLING = nested(
    {"address": clearable(ADDRESS), "email": clearable(text), "name": clearable(text), "phone": clearable(text)}
)
_CARD = nested({"number": text, "exp_month": integer, "exp_year": integer, "cvc": text, "token": text})
_REDISPLAY = choice("always", "limited", "unspecified")
CREATE: dict[str, Parse] = {
    **EXPAND,
    "type": only("card", "payment method types"),
    "card": _CARD,
    "billing_details": _BILLING,
    "metadata": metadata,
    "allow_redisplay": _REDISPLAY,
    **missing_here("customer", "payment_method", "radar_options"),
}
UPDATE: dict[str, Parse] = {
    **EXPAND,
    "billing_details": _BILLING,
    "card": nested({"exp_month": integer, "exp_year": integer}),
    "metadata": metadata,
    "allow_redisplay": _REDISPLAY,
}
ATTACH: dict[str, Parse] = {**EXPAND, "customer": text}
LIST: dict[str, Parse] = {**PAGE, "customer": text, "type": text, "allow_redisplay": _REDISPLAY}
LIST_OF_CUSTOMER: dict[str, Parse] = {**PAGE, "type": text, "allow_redisplay": _REDISPLAY}


def create(ctx: Context, params: Obj) -> Obj:
    return from_data(ctx, params).body


def retrieve(ctx: Context, _: Obj, payment_method: str) -> Obj:
    return chargeable(ctx, payment_method, "id").body


def update(ctx: Context, params: Obj, payment_method: str) -> Obj:
    record = ctx.store.get("payment_method", payment_method)
    body = record.body
    if "metadata" in params:
        body["metadata"] = merge_metadata(body["metadata"], params["metadata"])
    if "billing_details" in params:
        given = params["billing_details"]
        merged = {**body["billing_details"], **given}
        body["billing_details"] = objects.billing_details(merged)
    if "card" in params:
        body["card"].update(params["card"])
    if "allow_redisplay" in params:
        body["allow_redisplay"] = params["allow_redisplay"]
    ctx.store.save(record)
    return body


def attach(ctx: Context, params: Obj, payment_method: str) -> Obj:
    record = chargeable(ctx, payment_method, "payment_method")
    refused = card_of(record).decline if not card_of(record).attaches else None
    if refused:
        raise card_error(refused, payment_method=record.body)
    attach_to(ctx, record, params["customer"])
    return record.body


def detach(ctx: Context, _: Obj, payment_method: str) -> Obj:
    record = ctx.store.get("payment_method", payment_method)
    if record.body["customer"] is None:
        raise bad_request("The payment method you provided is not attached to a customer so detachment is impossible.")
    record.private["spent"] = True
    customer = record.body["customer"]
    ctx.change(record, customer=None)
    ctx.emit("payment_method.detached", record.body, {"customer": customer})
    return record.body


def list_all(ctx: Context, params: Obj) -> Obj:
    return _list(ctx, params, "/v1/payment_methods", params.get("customer"))


def list_of_customer(ctx: Context, params: Obj, customer: str) -> Obj:
    return _list(ctx, params, f"/v1/customers/{customer}/payment_methods", customer)


def retrieve_of_customer(ctx: Context, _: Obj, customer: str, payment_method: str) -> Obj:
    record = ctx.store.get("payment_method", payment_method)
    if record.body["customer"] != customer:
        raise bad_request(f"The payment method {payment_method} does not belong to customer {customer}.")
    return record.body


def _list(ctx: Context, params: Obj, url: str, customer: str | None) -> Obj:
    if customer:
        ctx.store.get("customer", customer, "customer")
    return ctx.store.page("payment_method", url, params, customer=customer, type=params.get("type"))


def from_data(ctx: Context, data: Obj) -> Record:
    """A new payment method from `type`, `card` and details; raises StripeError."""
    if "type" not in data:
        raise bad_request("Missing required param: type.", "parameter_missing", "type")
    given = data.get("card")
    if given is None:
        raise bad_request("Missing required param: card.", "parameter_missing", "card")
    if "token" in given:
        found = card_of_token(given["token"])
        if found is None:
            raise StripeError(404, f"No such token: '{given['token']}'", code="resource_missing", param="card[token]")
        record = _new(ctx, found)
    else:
        record = _from_number(ctx, given)
    body = record.body
    body["billing_details"] = objects.billing_details(data.get("billing_details"))
    body["metadata"] = merge_metadata({}, data.get("metadata", {}))
    body["allow_redisplay"] = data.get("allow_redisplay", "unspecified")
    ctx.store.save(record)
    return record


def chargeable(ctx: Context, payment_method: str, param: str = "payment_method") -> Record:
    """By id; a pm_card_ token makes a new one each time, as Stripe does. Raises StripeError."""
    card = card_of_token(payment_method)
    if card is not None and payment_method.startswith("pm_card_"):
        return _new(ctx, card)
    return ctx.store.get("payment_method", payment_method, param)


def attach_to(ctx: Context, record: Record, customer: str) -> None:
    """Raises StripeError where it is another's or used up."""
    existing_customer(ctx, customer)
    if record.body["customer"] == customer:
        return
    if record.body["customer"] is not None:
        raise bad_request("The payment method you provided has already been attached to a customer.")
    if record.private.get("spent"):
        raise spent_error()
    ctx.change(record, customer=customer)
    ctx.emit("payment_method.attached", record.body, {"customer": None})


def existing_customer(ctx: Context, customer: str, param: str = "customer") -> Record:
    """A customer that was not deleted; raises StripeError."""
    record = ctx.store.get("customer", customer, param)
    if record.private.get("deleted"):
        raise not_found("customer", customer, param)
    return record


def card_of(record: Record) -> TestCard:
    token = card_of_token(f"pm_card_{record.private['token']}")
    return token or TestCard(record.private["number"], "", decline=LIVE_CARD, attaches=False)


def spent_error() -> StripeError:
    return bad_request(
        "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with "
        "a connected account without Customer attachment, or was detached from a Customer. It may not be used again. "
        "To use a PaymentMethod multiple times, you must attach it to a Customer first."
    )


def card_error(decline: Decline, **extra: object) -> StripeError:
    """402; what the call wrote (the attempt) stays."""
    detail: Obj = {"decline_code": decline.decline_code, **extra}
    if decline.code == "card_declined":
        detail["advice_code"] = "do_not_try_again" if decline is not GENERIC else "try_again_later"
    return StripeError(402, decline.message, kind="card_error", code=decline.code, extra=detail, keeps_effects=True)


def _new(ctx: Context, card: TestCard) -> Record:
    now = ctx.now()
    year = datetime.fromtimestamp(now, UTC).year + 1
    body = objects.payment_method(card, now, month=12, year=year)
    return ctx.store.insert(Record(body, {"token": card.token, "number": card.number}))


def _from_number(ctx: Context, given: Obj) -> Record:
    for name in ("number", "exp_month", "exp_year"):
        if name not in given:
            raise bad_request(f"Missing required param: card[{name}].", "parameter_missing", f"card[{name}]")
    number = re.sub(r"[ -]", "", given["number"])
    if not number.isdigit() or not passes_luhn(number):
        raise _invalid("incorrect_number", "Your card number is incorrect.", "number")
    _check_expiry(ctx, given["exp_month"], given["exp_year"])
    cvc = given.get("cvc")
    if cvc is not None and not re.fullmatch(r"\d{3,4}", cvc):
        raise _invalid("invalid_cvc", "Your card's security code is invalid.", "cvc")
    card = BY_NUMBER.get(number, TestCard(number, "", decline=LIVE_CARD, attaches=False))
    record = _new(ctx, card)
    record.body["card"].update(exp_month=given["exp_month"], exp_year=given["exp_year"] % 100 + 2000)
    return record


def _check_expiry(ctx: Context, month: int, year: int) -> None:
    today = datetime.fromtimestamp(ctx.now(), UTC)
    if not 1 <= month <= 12:
        raise _invalid("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
    full_year = year + 2000 if year < 100 else year
    if not today.year <= full_year <= today.year + 50:
        raise _invalid("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year")
    if (full_year, month) < (today.year, today.month):
        raise _invalid("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")


def _invalid(code: str, message: str, field: str) -> StripeError:
    return StripeError(402, message, kind="card_error", code=code, param=f"card[{field}]")
