"""An order's own waits: a tool for tests and demos, for keys that may, and never a way to break an order."""

import pytest
from sqlalchemy import select

from models.messages.timings import OrderTimings
from models.tables.orders import Order
from tests.api.conftest import Api

WAITS = {"offer": "PT5S", "offer_in_opening_hours": False, "confirm_within": "PT1M"}


def timings_of(api: Api, order_id: str) -> OrderTimings:
    row = api.database.transaction(lambda s: s.scalars(select(Order.timings).where(Order.id == order_id)).one())
    return OrderTimings.model_validate(row)


async def test_only_what_was_sent_differs_when_an_order_has_its_own_waits(api: Api):
    answer = await api.place(by="ops", waits=WAITS)
    assert answer.status_code == 201, answer.text
    order = answer.json()
    assert timings_of(api, order["id"]) == OrderTimings.model_validate(WAITS)
    placed = (await api.place("key-2")).json()
    assert timings_of(api, placed["id"]) == OrderTimings()


async def test_the_hold_ends_by_the_orders_own_waits_when_it_has_them(api: Api):
    order = (await api.place(by="ops", waits=WAITS)).json()
    usual = (await api.place("key-2", by="ops")).json()
    assert order["expires_at"] < usual["expires_at"]


@pytest.mark.parametrize("by", ["shop", "agent"])
async def test_403_and_no_row_when_the_key_may_not_set_waits(api: Api, by):
    answer = await api.place(by=by, waits=WAITS)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert api.count(Order) == 0


@pytest.mark.parametrize(
    "waits",
    [
        {"offer": "PT0S"},
        {"offer": "-PT5S"},
        {"return_window": "P400D"},
        {"offer": 1e300},
        {"coffee": "PT5S"},
        {"offer": "soon"},
    ],
)
async def test_422_when_nobody_can_wait_that_long(api: Api, waits):
    answer = await api.place(by="ops", waits=waits)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert api.count(Order) == 0
