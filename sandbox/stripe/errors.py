"""Stripe's errors: their types, codes and wire shape. It must not decide anything."""

from typing import Any

Obj = dict[str, Any]


class StripeError(Exception):
    """An answer other than 200. `keeps_effects`: what the call wrote stays (a declined payment was an attempt)."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        extra: Obj | None = None,
        keeps_effects: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.extra = extra or {}
        self.keeps_effects = keeps_effects

    def body(self) -> Obj:
        """`{"error": {...}}` without the fields that have no value."""
        error: Obj = {"code": self.code, "message": self.message, "param": self.param, "type": self.kind, **self.extra}
        if self.code:
            error["doc_url"] = f"https://docs.stripe.com/error-codes/{self.code.replace('_', '-')}"
        return {"error": {name: value for name, value in error.items() if value is not None}}


def bad_request(message: str, code: str | None = None, param: str | None = None, **extra: object) -> StripeError:
    return StripeError(400, message, code=code, param=param, extra=dict(extra))


def not_found(kind: str, object_id: str, param: str = "id") -> StripeError:
    name = {"payment_method": "PaymentMethod"}.get(kind, kind)
    return StripeError(404, f"No such {name}: '{object_id}'", code="resource_missing", param=param)


def unsupported(what: str, param: str | None = None) -> StripeError:
    """Stripe has it and this sandbox does not: said plainly, never guessed."""
    return StripeError(400, f"The Shelfway Stripe sandbox does not implement {what}.", param=param)


def unrecognized_url(method: str, path: str) -> StripeError:
    return StripeError(
        404,
        f"Unrecognized request URL ({method}: {path}). "
        "Please see https://docs.stripe.com or we can help at https://support.stripe.com/.",
    )


def unexpected_state(message: str, intent: Obj) -> StripeError:
    """An intent is in a status that does not allow the call; the error carries the intent."""
    name = intent["object"]
    return StripeError(400, message, code=f"{name}_unexpected_state", extra={name: intent})


def api_error_body(status: int, message: str) -> Obj:
    """The shape of errors that Stripe's edge answers; for injected faults."""
    kind = "invalid_request_error" if status < 500 else "api_error"
    code = {409: "lock_timeout", 429: "rate_limit"}.get(status)
    return StripeError(status, message, kind=kind, code=code).body()
