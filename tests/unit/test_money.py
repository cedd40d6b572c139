"""Amounts split exactly, and go to Stripe in its own smallest unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import chargeable, currency, format_money, from_stripe, portion, share, to_stripe


def test_yen_stay_whole_when_sent_to_stripe():
    assert to_stripe(500, "jpy") == 500  # K66: the yen is the smallest unit
    assert from_stripe(9899, "jpy") == 9899


@pytest.mark.parametrize(
    ("code", "ours", "stripes"),
    [("usd", 1050, 1050), ("eur", 1, 1), ("isk", 500, 50000), ("ugx", 7, 700), ("kwd", 1500, 1500), ("mga", 500, 5)],
)
def test_stripe_gets_its_own_unit_when_iso_differs(code: str, ours: int, stripes: int):
    assert to_stripe(ours, code) == stripes
    assert from_stripe(stripes, code) == ours


def test_amount_is_refused_when_the_network_cannot_charge_it():
    assert not chargeable(1505, "kwd")
    with pytest.raises(ValueError, match="multiples of 10"):
        to_stripe(1505, "kwd")
    with pytest.raises(ValueError, match="decimals"):
        from_stripe(50001, "isk")


def test_unknown_currency_is_refused():
    with pytest.raises(KeyError):
        currency("xxx")


@pytest.mark.parametrize(
    ("amount", "code", "text"),
    [(123450, "usd", "$1,234.50"), (500, "jpy", "¥500"), (1500, "kwd", "KWD 1.500"), (-5, "eur", "-€0.05")],
)
def test_money_reads_well(amount: int, code: str, text: str):
    assert format_money(amount, code) == text


@given(st.integers(0, 10**8), st.lists(st.integers(0, 10**8), min_size=1, max_size=50), st.sampled_from([1, 10, 100]))
def test_shares_are_exact_and_fair(steps: int, weights: list[int], step: int):
    total = steps * step
    shares = share(total, weights, step)
    assert sum(shares) == total
    assert all(each >= 0 and each % step == 0 for each in shares)
    if weight := sum(weights):
        assert all(abs(s * weight - total * w) < weight * step for s, w in zip(shares, weights, strict=True))
        assert all(s == 0 for s, w in zip(shares, weights, strict=True) if w == 0)
        if total <= weight and step == 1:
            assert all(s <= w for s, w in zip(shares, weights, strict=True))


def test_ties_go_to_the_earlier_when_shares_do_not_divide():
    assert share(100, [1, 1, 1]) == [34, 33, 33]
    assert share(5, [0, 0]) == [3, 2]


@pytest.mark.parametrize(("total", "weights", "step"), [(-1, [1], 1), (1, [], 1), (1, [-1, 2], 1), (5, [1], 10)])
def test_sharing_is_refused_when_it_makes_no_sense(total: int, weights: list[int], step: int):
    with pytest.raises(ValueError, match="whole number of steps"):
        share(total, weights, step)


def test_portion_rounds_half_up():
    assert portion(999, 2000, 12000) == 167  # 166.5
    assert portion(1005, 1000, 10000, step=10) == 100
    assert portion(1050, 1000, 10000, step=10) == 110
