"""`expand`: ids in an answer become the objects that they name."""

from sandbox.stripe.errors import Obj, StripeError, bad_request
from sandbox.stripe.store import Store

MAX_DEPTH = 4
REFUNDS_SHOWN = 10
EXPANDABLE: dict[str, frozenset[str]] = {
    "payment_intent": frozenset({"customer", "latest_charge", "payment_method", "review"}),
    "setup_intent": frozenset({"customer", "payment_method", "latest_attempt", "mandate"}),
    "charge": frozenset(
        {"balance_transaction", "customer", "failure_balance_transaction", "payment_intent", "refunds", "review"}
    ),
    "refund": frozenset(
        {"balance_transaction", "charge", "customer", "failure_balance_transaction", "payment_intent", "payment_method"}
    ),
    "payment_method": frozenset({"customer"}),
    "dispute": frozenset({"charge", "payment_intent"}),
    "balance_transaction": frozenset({"source"}),
    "customer": frozenset({"default_source", "test_clock"}),
    "review": frozenset({"charge", "payment_intent"}),
    "radar.early_fraud_warning": frozenset({"charge", "payment_intent"}),
}


def expand(store: Store, body: Obj, paths: list[str]) -> Obj:
    """A copy of `body` with every path expanded; raises StripeError for one that cannot be."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > MAX_DEPTH + (parts[0] == "data"):
            raise bad_request(f"You cannot expand more than {MAX_DEPTH} levels of a property ({path}).", None, "expand")
        body = _expand(store, body, parts, path)
    return body


def _expand(store: Store, body: Obj, parts: list[str], path: str) -> Obj:
    name, rest = parts[0], parts[1:]
    kind = body.get("object")
    if kind == "list":
        if name != "data" or not rest:
            raise _refused(path)
        return {**body, "data": [_expand(store, item, rest, path) for item in body["data"]]}
    if name not in EXPANDABLE.get(str(kind), frozenset()):
        raise _refused(path)
    value = body.get(name)
    if kind == "charge" and name == "refunds" and value is None:
        params: Obj = {"limit": REFUNDS_SHOWN}
        value = store.page("refund", f"/v1/charges/{body['id']}/refunds", params, charge=body["id"])
    elif isinstance(value, str):
        found = store.find(value)
        value = value if found is None else found.body
    if rest and isinstance(value, dict):
        value = _expand(store, value, rest, path)
    return {**body, name: value}


def _refused(path: str) -> StripeError:
    message = (
        f"This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' if you are "
        "requesting a list."
    )
    return bad_request(message, None, "expand")
