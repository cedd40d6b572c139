"""Parcels: sizes in inches, weight in ounces. Pure; whether a carrier takes one is for the rates to say."""

from collections.abc import Mapping
from typing import Any

from sandbox.easypost.errors import ApiError, field_error
from sandbox.easypost.shapes import Json, head

SIZES = ("length", "width", "height", "weight")


def new_parcel(given: Mapping[str, Any], now: float) -> Json:
    """A Parcel; a missing weight is null (and gets no rates). Raises ApiError for what is no number."""
    parcel = head("Parcel", "prcl", now)
    for name in SIZES:
        parcel[name] = _number(given.get(name), name)
    parcel["predefined_package"] = given.get("predefined_package")
    return parcel


def _number(value: object, name: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if isinstance(value, bool) or not 0 <= number < 1e6:
        errors = [field_error(name, "must be a number, not negative")]
        raise ApiError(422, "PARCEL.PARAMETERS.INVALID", f"{name} is invalid.", errors)
    return number
