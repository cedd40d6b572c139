"""Every operation of the API that the sandbox has: method, path as in the specification, parameters, function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.stripe import (
    balance,
    charges,
    customers,
    disputes,
    events,
    intent_params,
    payment_intents,
    payment_methods,
    refunds,
    reviews,
    setup_intents,
    webhook_endpoints,
)
from sandbox.stripe.errors import Obj, unsupported
from sandbox.stripe.params import EXPAND, PAGE, Spec

Handler = Callable[..., Obj]  # (context, parameters, *ids of the path) -> body; raises StripeError


@dataclass(frozen=True)
class Operation:
    """`path` has {names} for ids."""

    method: str
    path: str
    spec: Spec
    handler: Handler
    required: tuple[str, ...] = ()


def _get(path: str, spec: Spec, handler: Handler, *required: str) -> Operation:
    return Operation("GET", path, spec, handler, required)


def _post(path: str, spec: Spec, handler: Handler, *required: str) -> Operation:
    return Operation("POST", path, spec, handler, required)


def _missing(method: str, path: str) -> Operation:
    def refuse(*_: Any) -> Obj:
        raise unsupported(f"{method} {path}")

    return Operation(method, path, _Anything(), refuse)


class _Anything(dict[str, Any]):
    """A spec that takes every parameter, for operations that are refused anyway."""

    def get(self, key: str, default: Any = None) -> Any:
        del key, default
        return _as_it_is


def _as_it_is(_: str, raw: object) -> object:
    return raw


_PI = "/v1/payment_intents"
_SI = "/v1/setup_intents"
_CUS = "/v1/customers"
_PM = "/v1/payment_methods"
_WE = "/v1/webhook_endpoints"

OPERATIONS: tuple[Operation, ...] = (
    _post(_PI, intent_params.PAYMENT_CREATE, payment_intents.create, "amount", "currency"),
    _get(_PI, intent_params.PAYMENT_LIST, payment_intents.list_all),
    _get(f"{_PI}/{{intent}}", intent_params.PAYMENT_RETRIEVE, payment_intents.retrieve),
    _post(f"{_PI}/{{intent}}", intent_params.PAYMENT_UPDATE, payment_intents.update),
    _post(f"{_PI}/{{intent}}/confirm", intent_params.PAYMENT_CONFIRM, payment_intents.confirm),
    _post(f"{_PI}/{{intent}}/capture", intent_params.PAYMENT_CAPTURE, payment_intents.capture),
    _post(f"{_PI}/{{intent}}/cancel", intent_params.PAYMENT_CANCEL, payment_intents.cancel),
    _missing("GET", f"{_PI}/search"),
    _missing("POST", f"{_PI}/{{intent}}/increment_authorization"),
    _missing("POST", f"{_PI}/{{intent}}/apply_customer_balance"),
    _missing("POST", f"{_PI}/{{intent}}/verify_microdeposits"),
    _post(_SI, intent_params.SETUP_CREATE, setup_intents.create),
    _get(_SI, intent_params.SETUP_LIST, setup_intents.list_all),
    _get(f"{_SI}/{{intent}}", intent_params.SETUP_RETRIEVE, setup_intents.retrieve),
    _post(f"{_SI}/{{intent}}", intent_params.SETUP_UPDATE, setup_intents.update),
    _post(f"{_SI}/{{intent}}/confirm", intent_params.SETUP_CONFIRM, setup_intents.confirm),
    _post(f"{_SI}/{{intent}}/cancel", intent_params.SETUP_CANCEL, setup_intents.cancel),
    _post(_CUS, customers.CREATE, customers.create),
    _get(_CUS, customers.LIST, customers.list_all),
    _missing("GET", f"{_CUS}/search"),
    _get(f"{_CUS}/{{customer}}", EXPAND, customers.retrieve),
    _post(f"{_CUS}/{{customer}}", customers.UPDATE, customers.update),
    Operation("DELETE", f"{_CUS}/{{customer}}", {}, customers.delete),
    _get(f"{_CUS}/{{customer}}/payment_methods", payment_methods.LIST_OF_CUSTOMER, payment_methods.list_of_customer),
    _get(f"{_CUS}/{{customer}}/payment_methods/{{payment_method}}", EXPAND, payment_methods.retrieve_of_customer),
    _post(_PM, payment_methods.CREATE, payment_methods.create, "type"),
    _get(_PM, payment_methods.LIST, payment_methods.list_all),
    _get(f"{_PM}/{{payment_method}}", EXPAND, payment_methods.retrieve),
    _post(f"{_PM}/{{payment_method}}", payment_methods.UPDATE, payment_methods.update),
    _post(f"{_PM}/{{payment_method}}/attach", payment_methods.ATTACH, payment_methods.attach, "customer"),
    _post(f"{_PM}/{{payment_method}}/detach", EXPAND, payment_methods.detach),
    _get("/v1/charges", charges.LIST, charges.list_all),
    _missing("POST", "/v1/charges"),
    _missing("GET", "/v1/charges/search"),
    _get("/v1/charges/{charge}", EXPAND, charges.retrieve),
    _post("/v1/charges/{charge}", charges.UPDATE, charges.update),
    _missing("POST", "/v1/charges/{charge}/capture"),
    _get("/v1/charges/{charge}/refunds", PAGE, refunds.list_of_charge),
    _get("/v1/charges/{charge}/refunds/{refund}", EXPAND, refunds.retrieve_of_charge),
    _post("/v1/refunds", refunds.CREATE, refunds.create),
    _get("/v1/refunds", refunds.LIST, refunds.list_all),
    _get("/v1/refunds/{refund}", EXPAND, refunds.retrieve),
    _post("/v1/refunds/{refund}", refunds.UPDATE, refunds.update),
    _missing("POST", "/v1/refunds/{refund}/cancel"),
    _get("/v1/disputes", disputes.LIST, disputes.list_all),
    _get("/v1/disputes/{dispute}", EXPAND, disputes.retrieve),
    _post("/v1/disputes/{dispute}", disputes.UPDATE, disputes.update),
    _post("/v1/disputes/{dispute}/close", EXPAND, disputes.close),
    _get("/v1/radar/early_fraud_warnings", disputes.LIST, disputes.list_warnings),
    _get("/v1/radar/early_fraud_warnings/{early_fraud_warning}", EXPAND, disputes.retrieve_warning),
    _get("/v1/reviews", PAGE, reviews.list_all),
    _get("/v1/reviews/{review}", EXPAND, reviews.retrieve),
    _post("/v1/reviews/{review}/approve", EXPAND, reviews.approve),
    _get("/v1/balance", balance.BALANCE, balance.balance),
    _get("/v1/balance_transactions", balance.LIST, balance.list_all),
    _get("/v1/balance_transactions/{id}", EXPAND, balance.retrieve),
    _get("/v1/events", events.LIST, events.list_all),
    _get("/v1/events/{id}", EXPAND, events.retrieve),
    _post(_WE, webhook_endpoints.CREATE, webhook_endpoints.create, "url", "enabled_events"),
    _get(_WE, PAGE, webhook_endpoints.list_all),
    _get(f"{_WE}/{{webhook_endpoint}}", EXPAND, webhook_endpoints.retrieve),
    _post(f"{_WE}/{{webhook_endpoint}}", webhook_endpoints.UPDATE, webhook_endpoints.update),
    Operation("DELETE", f"{_WE}/{{webhook_endpoint}}", {}, webhook_endpoints.delete),
)


def _pattern(path: str) -> tuple[str, ...]:
    return tuple("*" if part.startswith("{") else part for part in path.strip("/").split("/"))


_BY_PATTERN = {(operation.method, _pattern(operation.path)): operation for operation in OPERATIONS}
_IDS = ((), (2,), (3,), (2, 4))  # where ids can stand in a path


def find(method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    """The operation and the ids in its path; a written path goes before one with an id."""
    parts = path.strip("/").split("/")
    for places in _IDS:
        pattern = tuple("*" if i in places else part for i, part in enumerate(parts))
        operation = _BY_PATTERN.get((method, pattern))
        if operation is not None:
            return operation, tuple(parts[i] for i in places if i < len(parts))
    return None
