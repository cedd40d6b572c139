"""Checks decoded parameters against what an operation declares, as Stripe does before it executes anything.

Unknown names, wrong types and missing values are 400s that are never stored under an idempotency key.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.stripe.errors import StripeError, bad_request, unsupported

Parse = Callable[[str, object], Any]  # (name as the caller wrote it, raw) -> value; raises StripeError
Spec = Mapping[str, Parse]

MAX_METADATA_KEYS = 50


def check(spec: Spec, raw: Mapping[str, object], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Typed values of the given parameters; raises StripeError for the first that is wrong."""
    for name in required:
        if name not in raw:
            raise bad_request(f"Missing required param: {name}.", "parameter_missing", name)
    return _parse_all(spec, raw, "")


def _parse_all(spec: Spec, raw: Mapping[str, object], prefix: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in raw.items():
        name = f"{prefix}[{key}]" if prefix else key
        parse = spec.get(key)
        if parse is None:
            raise bad_request(f"Received unknown parameter: {name}", "parameter_unknown", name)
        values[key] = parse(name, value)
    return values


def _as_text(name: str, raw: object) -> str:
    if not isinstance(raw, str):
        raise bad_request(f"Invalid string: {raw}", "parameter_invalid_string", name)
    return raw


def text(name: str, raw: object) -> str:
    value = _as_text(name, raw)
    if value == "":
        message = (
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{name}' cannot be unset. You should remove '{name}' from your request "
            "or supply a non-empty value."
        )
        raise bad_request(message, "parameter_invalid_empty", name)
    if len(value) > 5000:
        raise bad_request(f"Invalid string: {value[:10]}...; must be at most 5000 characters", None, name)
    return value


def clearable(inner: Parse) -> Parse:
    """An empty string unsets the value."""

    def parse(name: str, raw: object) -> object:
        return None if raw == "" else inner(name, raw)

    return parse


def integer(name: str, raw: object) -> int:
    try:
        return int(_as_text(name, raw))
    except ValueError:
        raise bad_request(f"Invalid integer: {raw}", "parameter_invalid_integer", name) from None


def boolean(name: str, raw: object) -> bool:
    value = {"true": True, "false": False}.get(_as_text(name, raw))
    if value is None:
        raise bad_request(f"Invalid boolean: {raw}", None, name)
    return value


def choice(*allowed: str) -> Parse:
    def parse(name: str, raw: object) -> str:
        if raw not in allowed:
            raise bad_request(f"Invalid {name}: must be one of {', '.join(allowed)}", None, name)
        return str(raw)

    return parse


def only(value: str, what: str) -> Parse:
    """One value of several that Stripe has; the others are said to be missing here."""

    def parse(name: str, raw: object) -> str:
        if raw != value:
            raise unsupported(f"{what} other than {value!r}", name)
        return value

    return parse


def nested(spec: Spec) -> Parse:
    def parse(name: str, raw: object) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise bad_request(f"Invalid object: {raw}", "parameter_invalid_object", name)
        return _parse_all(spec, raw, name)

    return parse


def list_of(item: Parse) -> Parse:
    def parse(name: str, raw: object) -> list[Any]:
        if not isinstance(raw, list):
            raise bad_request(f"Invalid array: {raw}", "parameter_invalid_array", name)
        return [item(f"{name}[{i}]", value) for i, value in enumerate(raw)]

    return parse


def either(*parsers: Parse) -> Parse:
    """The first that fits; the last one's error."""

    def parse(name: str, raw: object) -> object:
        error: StripeError | None = None
        for parser in parsers:
            try:
                return parser(name, raw)
            except StripeError as refused:
                error = refused
        assert error is not None
        raise error

    return parse


def metadata(name: str, raw: object) -> dict[str, str] | None:
    """Key to value; an empty value unsets the key, an empty whole unsets all (None)."""
    if raw == "":
        return None
    if isinstance(raw, list):
        raw = {str(i): value for i, value in enumerate(raw)}
    if not isinstance(raw, dict):
        raise bad_request("Invalid metadata: must be an object of strings", "parameter_invalid_object", name)
    values: dict[str, str] = {}
    for key, value in raw.items():
        inner = f"{name}[{key}]"
        if not isinstance(value, str):
            raise bad_request(f"Invalid string: {value}", "parameter_invalid_string", inner)
        if len(key) > 40:
            message = f"Invalid {inner}: Metadata keys can have up to 40 characters"
            raise bad_request(message, "parameter_invalid_string", name)
        if len(value) > 500:
            message = f"Metadata values can have up to 500 characters, but you passed in a value that is {len(value)}"
            raise bad_request(message, "parameter_invalid_string", inner)
        values[key] = value
    return values


def merge_metadata(old: Mapping[str, str], change: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata after an update (see `metadata`); raises StripeError above fifty keys."""
    if change is None:
        return {}
    merged = {key: value for key, value in {**old, **change}.items() if value != ""}
    if len(merged) > MAX_METADATA_KEYS:
        raise bad_request(f"Metadata can have up to {MAX_METADATA_KEYS} keys", None, "metadata")
    return merged


def missing_here(*names: str) -> dict[str, Parse]:
    """Parameters that Stripe has and the sandbox does not."""

    def parse(name: str, _: object) -> object:
        raise unsupported(f"the parameter '{name}'", name)

    return dict.fromkeys(names, parse)


ADDRESS = nested(dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), text))
SHIPPING = nested({"address": ADDRESS, "name": text, "phone": text, "carrier": text, "tracking_number": text})
EXPAND = {"expand": list_of(text)}
CREATED = either(integer, nested(dict.fromkeys(("gt", "gte", "lt", "lte"), integer)))
PAGE: dict[str, Parse] = {
    **EXPAND,
    "limit": integer,
    "starting_after": text,
    "ending_before": text,
    "created": CREATED,
}
