"""What EasyPost's objects have in common: ids, times, amounts. It must not know any one object's rules."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.easypost.errors import ApiError, field_error

Json = dict[str, Any]
LABEL_FORMATS = {"PDF": "application/pdf", "ZPL": "application/zpl"}


def new_id(prefix: str) -> str:
    """An id as EasyPost gives them; the prefix decides the client's class."""
    return f"{prefix}_{secrets.token_hex(16)}"


def stamp(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(text: str) -> float:
    """Raises ApiError where `text` is no ISO date; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ApiError(422, "PARAMETER.INVALID", f"{text!r} is no ISO 8601 date.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def head(kind: str, prefix: str, now: float) -> Json:
    at = stamp(now)
    return {"id": new_id(prefix), "object": kind, "mode": "test", "created_at": at, "updated_at": at}


def money(cents: int) -> str:
    """Minor units as a rate shows them: "7.42"."""
    return f"{cents // 100}.{cents % 100:02d}"


def fee(kind: str, cents: int, *, refunded: bool = False) -> Json:
    amount = f"{money(cents)}000"
    return {"object": "Fee", "type": kind, "amount": amount, "charged": True, "refunded": refunded}


def minor_units(value: object, field: str) -> int:
    """Cents of an amount sent as a string or number; raises ApiError."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount <= 0 or amount != round(amount, 2):
        raise ApiError(
            422, "PARAMETER.INVALID", f"{field} is no amount.", [field_error(field, "must be an amount above zero")]
        )
    return int(amount * 100)


def section(body: Mapping[str, Any], name: str) -> Json:
    """The object under `name`, without nulls' surprises: {} when absent; raises ApiError when it is none."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ApiError(422, "PARAMETER.INVALID", f"{name} must be an object.", [field_error(name, "must be an object")])
    return value


def is_true(value: object) -> bool:
    return value is True or str(value).lower() in ("true", "1")
