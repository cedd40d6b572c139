"""Addresses and their verification. Pure: it must not store anything."""

import re
import zlib
from collections.abc import Mapping
from typing import Any

from sandbox.easypost.errors import ApiError, field_error
from sandbox.easypost.geo import US_AREAS, Place, locate, postcode_exists
from sandbox.easypost.shapes import Json, head

TEXTS = ("name", "company", "street1", "street2", "city", "state", "zip", "country", "phone", "email")
EXTRAS = ("carrier_facility", "federal_tax_id", "state_tax_id")
PRINTED = ("name", "company", "street1", "street2", "city", "state", "zip")
UNDELIVERABLE = "UNDELIVERABLE"


def new_address(given: Mapping[str, Any], now: float) -> Json:
    """An unverified Address of what the caller sent; raises ApiError where a field is no text."""
    address = head("Address", "adr", now)
    for name in (*TEXTS, *EXTRAS):
        value = given.get(name)
        if value is not None and not isinstance(value, str):
            raise ApiError(
                422, "ADDRESS.PARAMETERS.INVALID", f"{name} must be text.", [field_error(name, "must be text")]
            )
        address[name] = value
    address["country"] = (address["country"] or "US").upper()
    address["residential"] = given.get("residential")
    address["verifications"] = {}
    return address


def verified(address: Mapping[str, Any]) -> tuple[Json, list[Json]]:
    """The address after verification and what is wrong with it; one that fails keeps its text."""
    errors = _errors(address)
    is_us = address["country"] in US_AREAS
    result = dict(address) if errors else _standard(address, is_us=is_us)
    outcome: Json = {"success": not errors, "errors": errors}
    delivery = {**outcome, "details": {} if errors else _details(place_of(address))}
    result["verifications"] = {"zip4": {**outcome, "details": None}} if is_us else {}
    result["verifications"]["delivery"] = delivery
    return result, errors


def verify_failure(errors: list[Json]) -> ApiError:
    return ApiError(422, "ADDRESS.VERIFY.FAILURE", "Unable to verify address.", errors)


def place_of(address: Mapping[str, Any]) -> Place | None:
    return locate(address["country"], address["zip"] or "", address["city"] or "", address["state"] or "")


def unprintable(address: Mapping[str, Any]) -> list[str]:
    """Fields that carriers cannot print: outside Latin-1."""
    return [name for name in PRINTED if not printable(address[name] or "")]


def printable(text: str) -> bool:
    return all(char.isprintable() and ord(char) < 256 for char in text)


def _errors(address: Mapping[str, Any]) -> list[Json]:
    street = f"{address['street1'] or ''} {address['street2'] or ''}".strip()
    found = (
        street != ""
        and UNDELIVERABLE not in street.upper()
        and bool(address["zip"])
        and postcode_exists(address["country"], address["zip"])
    )
    if found:
        return []
    errors = [_error("E.ADDRESS.NOT_FOUND", "address", "Address not found")]
    if not any(char.isdigit() for char in street):
        errors.append(_error("E.HOUSE_NUMBER.MISSING", "street1", "House number is missing"))
    return errors


def _error(code: str, field: str, message: str) -> Json:
    return {"code": code, "field": field, "message": message, "suggestion": None}


def _details(place: Place | None) -> Json | None:
    if place is None:
        return None
    return {"latitude": place.latitude, "longitude": place.longitude, "time_zone": place.time_zone}


def _standard(address: Mapping[str, Any], *, is_us: bool) -> Json:
    """Upper case; in the US one street line and ZIP+4, both as EasyPost gives them."""
    result = dict(address)
    for name in PRINTED:
        if result[name]:
            result[name] = re.sub(r"\s+", " ", result[name]).strip().upper()
    result["residential"] = not result["company"]
    if is_us:
        result["street1"] = " ".join(part for part in (result["street1"], result["street2"]) if part)
        result["street2"] = ""
        result["zip"] = _zip4(result["zip"], result["street1"])
    return result


def _zip4(zip_code: str, street: str) -> str:
    """A ZIP+4 as given, else one made up from the street: the same street, the same four digits."""
    digits = zip_code.replace("-", "")
    if len(digits) == 9:
        return f"{digits[:5]}-{digits[5:]}"
    return f"{digits[:5]}-{zlib.crc32(street.encode()) % 9998 + 1:04d}"
