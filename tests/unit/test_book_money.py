"""Which authorization pays for which parcel, and what has to be authorized first: on rows in memory, no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from models.messages.facts import Rest
from models.messages.timings import OrderTimings
from models.stores.book import Book
from models.tables.orders import Hold, Order, OrderUnit
from models.tables.payments import Intent, PaymentOperation
from models.tables.shipments import Shipment
from models.words import IntentState, OperationKind, Outcome, Stage, UnitState, Verdict

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
A, B, C = "shp_a", "shp_b", "shp_c"
DUES = {A: 1000, B: 2000, C: 3000}


@dataclass
class Refused:
    reason: str


def book(
    *authorized: int | Intent,
    dues: dict[str, int] = DUES,
    shipping: int = 0,
    refused: Sequence[str] = (),
    held: bool = False,
) -> Book:
    """An order of one unit a parcel, all labelled, with these authorizations."""
    order = Order(
        id="ord_1", verdict=Verdict.CONFIRMED, timings=OrderTimings().model_dump(mode="json"), shipping=shipping,
        shipping_tax=0, includes_tax=False,
    )  # fmt: skip
    made = Book(cast("Any", None), order, NOW, held=False, exception="")
    intents = [given if isinstance(given, Intent) else intent(number, given) for number, given in enumerate(authorized)]
    operations = [
        PaymentOperation(kind=OperationKind.AUTHORIZE, outcome=Outcome.REFUSED, reason=reason, renews=None)
        for reason in refused
    ]
    made.__dict__ |= {
        "units": [unit(parcel, amount) for parcel, amount in dues.items()],
        "shipments": [Shipment(id=parcel, stage=Stage.LABELLED, leaving=False) for parcel in dues],
        "intents": intents,
        "operations": operations,
        "holds": [Hold(id="hold_1", shipment_id=None)] if held else [],
    }
    return made


def intent(number: int, amount: int, *, multicapture: bool = False) -> Intent:
    return Intent(
        id=f"pi_{number}", state=IntentState.OPEN, capturable=amount, superseded=False, multicapture=multicapture
    )


def unit(parcel: str, amount: int) -> OrderUnit:
    return OrderUnit(id=f"unit_{parcel}", shipment_id=parcel, state=UnitState.PACKED, captured_by=None, amount=amount)


def rest_due(made: Book) -> list[str]:
    return [s.id for s in made.shipments if made.is_rest_due(s)]


def paid_by(made: Book) -> dict[str, str | None]:
    chosen = {s.id: made.intent_for(s) for s in made.shipments}
    return {parcel: found and found.id for parcel, found in chosen.items()}


def test_the_rest_is_due_for_whichever_parcel_is_first_when_one_authorization_covers_all() -> None:
    assert rest_due(book(6000)) == [A, B, C]


def test_no_rest_is_due_when_the_card_allows_several_captures() -> None:
    assert rest_due(book(intent(0, 6000, multicapture=True))) == []


def test_no_rest_is_due_when_another_authorization_covers_it() -> None:
    assert rest_due(book(6000, 5000)) == []


def test_a_gift_owes_the_shipping_charge_when_it_is_first_and_the_rest_is_due_before() -> None:
    assert rest_due(book(3500, dues={A: 0, B: 3000}, shipping=500)) == [A]


def test_nothing_is_due_when_the_only_other_parcel_is_a_gift_shipped_free() -> None:
    assert rest_due(book(3000, dues={A: 0, B: 3000})) == []


def test_the_smallest_that_covers_is_used_when_there_are_several() -> None:
    assert paid_by(book(6000, 2500, 2000)) == {A: "pi_2", B: "pi_2", C: "pi_0"}


def test_a_parcel_is_not_paid_for_when_each_authorization_is_too_small() -> None:
    made = book(2500, 2000)
    assert paid_by(made)[C] is None
    assert made.rest() is Rest.AFTER_CAPTURE


@pytest.mark.parametrize(
    ("refused", "rest"),
    [
        ([], Rest.AFTER_CAPTURE),
        (["insufficient_funds"], Rest.AFTER_CAPTURE),
        (["insufficient_funds", "insufficient_funds"], Rest.REFUSED),
        (["authentication_required"], Rest.REFUSED),
    ],
)
def test_the_customer_is_asked_when_it_was_refused_for_good_or_twice(refused: list[str], rest: Rest) -> None:
    assert book(refused=refused).rest() is rest


def test_nothing_is_authorized_when_the_whole_order_is_held() -> None:
    assert book(held=True).rest() is Rest.NONE
