"""Every identifier and idempotency key that Shelfway builds: the only place that formats one.

Keys are derived from business identity (never from a run's id), so that a step done twice has one effect. They go to
Stripe as `Idempotency-Key` and metadata, and to EasyPost as `reference`.
"""

from typing import Final

TASK_QUEUE_ORDERS: Final = "orders"
TASK_QUEUE_PAYMENTS: Final = "payments"
TASK_QUEUE_SHIPPING: Final = "shipping"

CHECKOUT_UPDATE_ID: Final = "checkout"
LABEL_UPDATE_ID: Final = "label"


def customer_key(order_id: str) -> str:
    """The Stripe Customer that an order's authorizations name."""
    return f"{order_id}:customer"


def authorize_key(order_id: str, tender: int, n: int) -> str:
    """The nth authorization of a tender; `n` counts attempts after a known refusal or a split, never retries."""
    return f"{order_id}:authorize:{tender}:{n}"


def void_key(order_id: str, intent_id: str, leg: int) -> str:
    return f"{order_id}:void:{intent_id}:{leg}"


def capture_key(order_id: str, shipment_id: str, tender: int, intent_id: str, n: int) -> str:
    return f"{order_id}:{shipment_id}:capture:{tender}:{intent_id}:{n}"


def refund_key(order_id: str, claim_id: str, intent_id: str, n: int) -> str:
    return f"{order_id}:refund:{claim_id}:{intent_id}:{n}"


def nth_key(key: str, n: int) -> str:
    """The nth key that a vendor is asked with: it has kept a failure under each before, and nothing came of it."""
    return key if n == 1 else f"{key}~{n}"


def operation_of(idempotency_key: str) -> str:
    """The key of the operation that a request was made for."""
    return idempotency_key.partition("~")[0]


def label_key(order_id: str, shipment_id: str, n: int) -> str:
    return f"{order_id}:{shipment_id}:label:{n}"


def tidy_sku(raw: str) -> str:
    """The one rule for a SKU wherever one is written or looked up: outer blanks go, letters are upper case.

    Leading zeros stay: `00123` and `123` are two SKUs.
    """
    return raw.strip().upper()
