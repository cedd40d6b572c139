"""What a refund that was refused leaves due, before and after a person says retry: to the cent, on rows in memory."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from models.messages.timings import OrderTimings
from models.refunds import RefundDue
from models.stores.book import Book
from models.tables.orders import Order, OrderUnit
from models.tables.payments import PaymentOperation
from models.words import OperationKind, Outcome, UnitState

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHIPPING = 500


def captured(unit_id: str, intent_id: str, amount: int, refunded_by: str | None) -> OrderUnit:
    return OrderUnit(
        id=unit_id, state=UnitState.CANCELLED, amount=amount, captured_by=f"c:{intent_id}", refunded_by=refunded_by
    )


def capture(intent_id: str, shipping: int = 0) -> PaymentOperation:
    return PaymentOperation(
        key=f"c:{intent_id}", kind=OperationKind.CAPTURE, outcome=Outcome.SUCCEEDED, intent_id=intent_id,
        shipping=shipping,
    )  # fmt: skip


def refund(
    key: str, intent_id: str, outcome: Outcome, reason: str | None = None, shipping: int = 0
) -> PaymentOperation:
    return PaymentOperation(
        key=key, kind=OperationKind.REFUND, outcome=outcome, reason=reason, intent_id=intent_id, shipping=shipping
    )


def book(units: list[OrderUnit], *operations: PaymentOperation) -> Book:
    order = Order(id="ord_1", timings=OrderTimings().model_dump(mode="json"))
    made = Book(cast("Any", None), order, NOW, held=False, exception="")
    made.__dict__ |= {
        "units": units, "operations": list(operations), "claims": {unit.id: f"clm_{unit.id}" for unit in units},
    }  # fmt: skip
    return made


def test_units_and_shipping_are_due_again_when_their_refused_refund_is_retried() -> None:
    made = book(
        [captured("u1", "pi_1", 1000, "r:1"), captured("u2", "pi_1", 2000, "r:1")],
        capture("pi_1", SHIPPING),
        refund("r:1", "pi_1", Outcome.REFUSED, "declined", SHIPPING),
    )
    assert made.refund_due() is None
    assert made.retry_refunds() == 1
    assert made.refund_due() == RefundDue("pi_1", "clm_u1", ("u1", "u2"), 3500, SHIPPING)
    assert (made.retry_refunds(), made.refused_refunds) == (0, [])


def test_the_shipping_charge_alone_is_due_again_when_it_was_all_that_was_refused() -> None:
    made = book(
        [captured("u1", "pi_1", 1000, "r:1")],
        capture("pi_1", SHIPPING),
        refund("r:1", "pi_1", Outcome.SUCCEEDED),
        refund("r:2", "pi_1", Outcome.REFUSED, None, SHIPPING),
    )
    assert made.refund_due() is None
    made.retry_refunds()
    assert made.refund_due() == RefundDue("pi_1", "clm_u1", (), SHIPPING, SHIPPING)


def test_what_another_refund_gave_back_stays_given_when_one_is_retried() -> None:
    made = book(
        [captured("u1", "pi_1", 1000, "r:1"), captured("u2", "pi_2", 2000, "r:2")],
        capture("pi_1"),
        capture("pi_2"),
        refund("r:1", "pi_1", Outcome.PENDING),
        refund("r:2", "pi_2", Outcome.REFUSED, "declined"),
    )
    made.retry_refunds()
    assert made.refund_due() == RefundDue("pi_2", "clm_u2", ("u2",), 2000, 0)


@pytest.mark.parametrize("reason", ["expired_or_canceled_card", "lost_or_stolen_card"])
def test_nothing_is_due_again_when_the_card_is_closed(reason: str) -> None:
    made = book([captured("u1", "pi_1", 1000, "r:1")], capture("pi_1"), refund("r:1", "pi_1", Outcome.REFUSED, reason))
    assert (made.retry_refunds(), made.refund_due()) == (0, None)
    assert [operation.key for operation in made.refused_refunds] == ["r:1"]
