"""An order's status by RULINGS' order: the first that fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.status import Standing, status_of
from models.words import OrderStatus as S
from models.words import UnitState as U

PAID = Standing(confirmed=True)

CASES = [
    # expired and failed come before everything, also before what the units say
    ([U.DELIVERED], Standing(expired=True, failed=True), S.EXPIRED),
    ([U.DELIVERED], Standing(failed=True, confirmed=True), S.FAILED),
    ([U.CANCELLED, U.CANCELLED], Standing(expired=True), S.EXPIRED),
    # every unit cancelled
    ([U.CANCELLED, U.CANCELLED], PAID, S.CANCELLED),
    ([U.CANCELLED], Standing(), S.CANCELLED),
    # cancelled units do not count in "all"
    ([U.CANCELLED, U.DELIVERED], PAID, S.DELIVERED),
    ([U.CANCELLED, U.HANDED_OVER], PAID, S.SHIPPED),
    ([U.CANCELLED, U.RETURNED], PAID, S.RETURNED),
    ([U.CANCELLED, U.RESERVED], PAID, S.CONFIRMED),
    # a return before a delivery before a hand-over; lost counts as returned
    ([U.RETURNED, U.RETURNED], PAID, S.RETURNED),
    ([U.LOST], PAID, S.RETURNED),
    ([U.RETURNED, U.LOST], PAID, S.RETURNED),
    ([U.RETURNED, U.DELIVERED], PAID, S.PARTIALLY_RETURNED),
    ([U.LOST, U.RESERVED], PAID, S.PARTIALLY_RETURNED),
    ([U.DELIVERED, U.DELIVERED], PAID, S.DELIVERED),
    ([U.DELIVERED, U.HANDED_OVER], PAID, S.PARTIALLY_DELIVERED),
    ([U.DELIVERED, U.RESERVED], PAID, S.PARTIALLY_DELIVERED),
    ([U.HANDED_OVER, U.HANDED_OVER], PAID, S.SHIPPED),
    ([U.HANDED_OVER, U.PACKED], PAID, S.PARTIALLY_SHIPPED),
    # a hold or a question to the customer stands in front of packing and confirmed, and of nothing that has left
    ([U.HANDED_OVER, U.PACKED], Standing(confirmed=True, on_hold=True, awaiting_customer=True), S.PARTIALLY_SHIPPED),
    ([U.PACKED], Standing(confirmed=True, on_hold=True, awaiting_customer=True), S.ON_HOLD),
    ([U.ACCEPTED], Standing(confirmed=True, awaiting_customer=True), S.AWAITING_CUSTOMER),
    ([U.RESERVED], Standing(confirmed=True, on_hold=True), S.ON_HOLD),
    ([U.RESERVED], Standing(on_hold=True), S.PENDING),
    # any unit accepted or picked
    ([U.RESERVED, U.ACCEPTED], PAID, S.PACKING),
    ([U.PICKED], PAID, S.PACKING),
    ([U.PACKED, U.AWAITING], PAID, S.PACKING),
    # paid for, and reserved or queued for supply
    ([U.RESERVED], PAID, S.CONFIRMED),
    ([U.AWAITING, U.RESERVED], PAID, S.CONFIRMED),
    ([U.RESERVED], Standing(), S.PENDING),
    ([U.AWAITING], Standing(awaiting_customer=True), S.PENDING),
]


@pytest.mark.parametrize(("units", "standing", "status"), CASES)
def test_status_is_the_first_that_fits(units: list[U], standing: Standing, status: S) -> None:
    assert status_of(units, standing) is status


def test_every_status_is_reached_by_a_case() -> None:
    assert {status for _, _, status in CASES} == set(S)


@given(st.lists(st.sampled_from(U), min_size=1), st.builds(Standing), st.randoms())
def test_the_order_of_units_and_a_cancelled_one_more_change_nothing(units: list[U], standing: Standing, r) -> None:
    shuffled = [*units, U.CANCELLED]
    r.shuffle(shuffled)
    assert status_of(shuffled, standing) is status_of(units, standing)
