"""The payment port on Stripe's official client. It decides nothing about an order and logs no body.

Every error text names Stripe's codes and parameters alone: its messages may hold what a person typed.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from math import ceil
from typing import Any, Final, TypeVar, cast

import stripe
from pydantic import ValidationError

from activities.gateways import stripe_wire as wire
from activities.gateways.transport import never_sent
from models import heard_stripe
from models.errors import OutcomeUnknownError, RejectedError, VendorUnavailableError
from models.heard import Listed, Window
from models.ids import nth_key
from models.money import to_stripe
from models.vendors import Authorization, Authorized, CaptureAsk, IntentView, MoneyMoved, RefundAsk, Refunded, VoidAsk
from models.words import IntentState, Outcome

TIMEOUT: Final = 4.0  # seconds
PAGE: Final = 100  # events
_EXPAND: Final = ["latest_charge"]

# 400s that speak of the intent's state, the amount or the method, not of a mistake in our call
_REFUSALS: Final = frozenset(
    {
        "amount_too_large",
        "amount_too_small",
        "charge_already_captured",
        "charge_already_refunded",
        "charge_disputed",
        "charge_expired_for_capture",
        "payment_intent_unexpected_state",
        "payment_method_unexpected_state",
    }
)

_KEYS: Final = 6  # that a call may be made under, each after a failure that Stripe stored under the one before

_T = TypeVar("_T")


class StripeGateway:
    """Implements `activities.ports.PaymentGateway`. A `base` points the client at a sandbox."""

    def __init__(self, api_key: str, *, base: str | None = None, live: bool = False) -> None:
        if not live and "_live_" in api_key:
            raise ValueError("a live Stripe key is used only where SHELFWAY_STRIPE_LIVE says so")
        logging.getLogger("stripe").setLevel(logging.WARNING)  # below that the client logs bodies
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": base.rstrip("/")} if base else None,
            http_client=stripe.RequestsClient(timeout=TIMEOUT),
            max_network_retries=0,
        )

    def authorize(self, ask: Authorization) -> Authorized:
        """Create and confirm one intent with manual capture. A decline is an answer, and so is 3-D Secure."""
        customer_id = self._customer(ask)
        params = _creation(ask, customer_id)

        def create(key: str) -> Authorized:
            try:
                intent = self._client.v1.payment_intents.create(params, {"idempotency_key": key})
            except (stripe.CardError, stripe.InvalidRequestError) as error:
                return _refused(error, customer_id)
            view = wire.view_of(wire.read(intent.to_dict()))
            return Authorized(view.outcome, customer_id, view, view.reason)

        return _once(ask.key, create, lambda: self.find_authorization(ask))

    def find_authorization(self, ask: Authorization) -> Authorized | None:
        """Listed by customer and matched on metadata; never by Search, which lags."""
        customer_id = self._customer(ask)
        with _errors_in_our_words():
            page = self._client.v1.payment_intents.list(
                {"customer": customer_id, "limit": 100, "expand": ["data.latest_charge"]}
            )
            intents = (wire.read(found.to_dict()) for found in page.auto_paging_iter())
            intent = next((each for each in intents if each.metadata.get("operation") == ask.key), None)
        if intent is None:
            return None
        view = wire.view_of(intent)
        return Authorized(view.outcome, customer_id, view, view.reason)

    def capture(self, ask: CaptureAsk) -> MoneyMoved:
        """Take the amount. Not `final` keeps the rest held, which only an intent with multicapture can do."""
        at_stripe = to_stripe(ask.amount, ask.currency)
        params: stripe.params.PaymentIntentCaptureParams = {"amount_to_capture": at_stripe, "expand": _EXPAND}
        if not ask.final:
            params["final_capture"] = False

        def capture(key: str) -> MoneyMoved:
            try:
                intent = self._client.v1.payment_intents.capture(ask.intent_id, params, {"idempotency_key": key})
            except (stripe.CardError, stripe.InvalidRequestError) as error:
                return MoneyMoved(Outcome.REFUSED, reason=_reason(error), intent=self.look(ask.intent_id))
            return MoneyMoved(Outcome.SUCCEEDED, wire.view_of(wire.read(intent.to_dict())))

        return _once(ask.key, capture, lambda: self.find_capture(ask))

    def find_capture(self, ask: CaptureAsk) -> MoneyMoved | None:
        """Told by what the intent has received."""
        view = self.look(ask.intent_id)
        done = view.received >= ask.received_before + ask.amount
        return MoneyMoved(Outcome.SUCCEEDED, view) if done else None

    def void(self, ask: VoidAsk) -> MoneyMoved:
        """Give back what is still held. Doing it again has succeeded; an intent that was captured whole refuses.

        A partly captured intent is not canceled but captured for good with nothing (Stripe, Multicapture).
        """

        def void(key: str) -> MoneyMoved:
            once = stripe.RequestOptions(idempotency_key=key)
            try:
                if ask.partly_captured:
                    nothing: stripe.params.PaymentIntentCaptureParams = {"amount_to_capture": 0, "expand": _EXPAND}
                    intent = self._client.v1.payment_intents.capture(ask.intent_id, nothing, once)
                else:
                    intent = self._client.v1.payment_intents.cancel(ask.intent_id, {"expand": _EXPAND}, once)
            except (stripe.CardError, stripe.InvalidRequestError) as error:
                reason, view = _reason(error), self.look(ask.intent_id)
                return _voided(ask, view) or MoneyMoved(Outcome.REFUSED, view, reason)
            return MoneyMoved(Outcome.SUCCEEDED, wire.view_of(wire.read(intent.to_dict())))

        return _once(ask.key, void, lambda: self.find_void(ask))

    def find_void(self, ask: VoidAsk) -> MoneyMoved | None:
        """Told by the intent's state."""
        return _voided(ask, self.look(ask.intent_id))

    def refund(self, ask: RefundAsk) -> Refunded:
        """Give back a part of what an intent captured."""
        params: stripe.params.RefundCreateParams = {
            "payment_intent": ask.intent_id,
            "amount": to_stripe(ask.amount, ask.currency),
            "metadata": {"order_id": ask.order_id, "operation": ask.key},
        }

        def refund(key: str) -> Refunded:
            try:
                made = self._client.v1.refunds.create(params, {"idempotency_key": key})
            except (stripe.CardError, stripe.InvalidRequestError) as error:
                more_than_left = error.code is None and _told(error).get("param") == "amount"
                return Refunded(Outcome.REFUSED, reason="amount_too_large" if more_than_left else _reason(error))
            return wire.refund_of(made.to_dict())

        return _once(ask.key, refund, lambda: self.find_refund(ask))

    def find_refund(self, ask: RefundAsk) -> Refunded | None:
        """Listed by intent and matched on metadata."""
        with _errors_in_our_words():
            page = self._client.v1.refunds.list({"payment_intent": ask.intent_id, "limit": 100})
            refunds = (found.to_dict() for found in page.auto_paging_iter())
            made = next((each for each in refunds if (each.get("metadata") or {}).get("operation") == ask.key), None)
            return None if made is None else wire.refund_of(made)

    def events(self, window: Window, after: str | None) -> Listed:
        """A page of the events that we are sent, whether or not they reached us. Stripe keeps them for thirty days."""
        params: stripe.params.EventListParams = {
            "types": list(heard_stripe.TYPES),
            "created": {"gte": int(window.since.timestamp()), "lt": ceil(window.until.timestamp())},
            "limit": PAGE,
        }
        if after is not None:
            params["starting_after"] = after
        with _errors_in_our_words():
            page = self._client.v1.events.list(params)
            events = [event.to_dict() for event in page.data]
            heard = [each for event in reversed(events) if (each := heard_stripe.heard_of(event))]
            return Listed(heard, events[-1]["id"] if page.has_more else None)

    def look(self, intent_id: str) -> IntentView:
        """The intent as it is now."""
        return wire.view_of(self._read(intent_id))

    def _read(self, intent_id: str) -> wire.Intent:
        with _errors_in_our_words():
            return wire.read(self._client.v1.payment_intents.retrieve(intent_id, {"expand": _EXPAND}).to_dict())

    def _customer(self, ask: Authorization) -> str:
        """The order's Stripe Customer, made once under its own key; it carries no person's data."""
        if ask.customer_id is not None:
            return ask.customer_id

        def create(key: str) -> str:
            params: stripe.params.CustomerCreateParams = {"metadata": {"order_id": ask.order_id}}
            return self._client.v1.customers.create(params, {"idempotency_key": key}).id

        return _once(ask.customer_key, create, lambda: None)  # a customer more costs nobody anything


def _once(key: str, call: Callable[[str], _T], find: Callable[[], _T | None]) -> _T:
    """Make the call, once under its key.

    A failure that Stripe stored comes again for ever under its key, whether or not something came of it. So it is
    looked for, and where nothing came of it the call is made under the next key.
    """
    with _errors_in_our_words():
        for n in range(1, _KEYS + 1):
            try:
                return call(nth_key(key, n))
            except stripe.StripeError as error:
                if not _is_replayed(error):
                    raise
            if (found := find()) is not None:
                return found
    raise OutcomeUnknownError("stripe: a failure is stored under each key")


def _is_replayed(error: stripe.StripeError) -> bool:
    return (error.http_status or 0) >= 500 and (error.headers or {}).get("Idempotent-Replayed") == "true"


def _voided(ask: VoidAsk, view: IntentView) -> MoneyMoved | None:
    gone = IntentState.CAPTURED if ask.partly_captured else IntentState.VOIDED
    return MoneyMoved(Outcome.SUCCEEDED, view) if view.state is gone else None


def _creation(ask: Authorization, customer_id: str) -> stripe.params.PaymentIntentCreateParams:
    params: stripe.params.PaymentIntentCreateParams = {
        "amount": to_stripe(ask.amount, ask.currency),
        "currency": ask.currency,
        "customer": customer_id,
        "payment_method": ask.payment_method,
        # cards, and what needs no redirect; a list of types is no longer taken (since API 2026-09-30)
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "payment_method_options": {"card": {"request_multicapture": "if_available"}},
        "capture_method": "manual",
        "confirm": True,
        "metadata": {"order_id": ask.order_id, "operation": ask.key},
        "expand": _EXPAND,
    }
    if ask.off_session:
        params["off_session"] = True
    else:
        params["setup_future_usage"] = "off_session"
    return params


def _refused(error: stripe.CardError | stripe.InvalidRequestError, customer_id: str) -> Authorized:
    """A decline, or a method that cannot be charged; any other 400 is our mistake and goes on as an error."""
    told = _told(error)
    if isinstance(error, stripe.InvalidRequestError) and told.get("param") == "payment_method":
        return Authorized(Outcome.REFUSED, customer_id, None, error.code or "payment_method_unusable")
    reason = _reason(error)
    view = wire.view_of(wire.read(told["payment_intent"])) if told.get("payment_intent") else None
    return Authorized(Outcome.REFUSED, customer_id, view, reason)


def _reason(error: stripe.CardError | stripe.InvalidRequestError) -> str:
    """Stripe's word for a refusal; raises the error again where it is none."""
    if isinstance(error, stripe.CardError):
        return _told(error).get("decline_code") or error.code or "card_declined"
    if error.code in _REFUSALS:
        return error.code
    raise error


def _told(error: stripe.StripeError) -> dict[str, Any]:
    """What stands under `error` in Stripe's answer."""
    body = cast("dict[str, Any]", error.json_body) if isinstance(error.json_body, dict) else {}
    return body.get("error") or {}


@contextmanager
def _errors_in_our_words() -> Generator[None]:
    """The chain is cut (`from None`): Stripe's own exceptions hold whole bodies."""
    try:
        yield
    except stripe.StripeError as error:
        raise _in_our_words(error) from None
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError):
        raise OutcomeUnknownError("stripe: the answer makes no sense") from None


def _in_our_words(error: stripe.StripeError) -> Exception:
    status = error.http_status
    if isinstance(error, stripe.APIConnectionError):
        if never_sent(error.__cause__):
            return VendorUnavailableError("stripe: no connection")
        return OutcomeUnknownError("stripe: the connection was lost or timed out")
    if status in (409, 429):
        return VendorUnavailableError(f"stripe: busy ({status})", retry_after=_retry_after(error))
    if status in (401, 403):  # a key that was revoked or rotated: it works again when the deployment is put right
        return VendorUnavailableError(f"stripe: the key was not accepted ({status})")
    if isinstance(error, stripe.CardError | stripe.InvalidRequestError | stripe.IdempotencyError):
        told = _told(error)
        words = [str(told[name]) for name in ("type", "code", "param") if told.get(name)]
        return RejectedError(f"stripe: {status} {' '.join(words)}")
    return OutcomeUnknownError(f"stripe: {status or 'no'} answer that settles nothing")


def _retry_after(error: stripe.StripeError) -> float | None:
    text = (error.headers or {}).get("Retry-After", "")
    return float(text) if text.isdecimal() else None
