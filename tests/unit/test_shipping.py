"""Which of a carrier's offers is bought."""

from models.shipping import choose_rate
from models.vendors import Rate


def offer(service: str, amount: int, days: int | None) -> Rate:
    return Rate(id="rate_1", carrier="USPS", service=service, amount=amount, currency="usd", days=days)


SLOW, FAST, FASTEST = offer("GroundAdvantage", 500, 5), offer("Priority", 700, 2), offer("Express", 2500, 1)


def test_the_cheapest_is_bought_when_several_keep_the_promise() -> None:
    assert choose_rate([FASTEST, FAST, SLOW], transit_days=2, hazmat=False) == FAST


def test_the_fastest_is_bought_when_none_keeps_the_promise() -> None:
    assert choose_rate([SLOW, FASTEST, FAST], transit_days=0, hazmat=False) == FASTEST


def test_a_service_without_days_is_the_last_resort_when_nothing_is_known_of_it() -> None:
    vague = offer("Parcel", 100, None)
    assert choose_rate([vague, SLOW], transit_days=1, hazmat=False) == SLOW
    assert choose_rate([vague], transit_days=1, hazmat=False) == vague


def test_only_the_road_is_taken_when_the_parcel_is_dangerous() -> None:
    assert choose_rate([FASTEST, FAST, SLOW], transit_days=1, hazmat=True) == SLOW
    assert choose_rate([offer("Paket", 400, 2), FAST], transit_days=2, hazmat=True) == offer("Paket", 400, 2)


def test_nothing_is_bought_when_no_service_may_carry_the_parcel() -> None:
    assert choose_rate([FAST], transit_days=9, hazmat=True) is None
    assert choose_rate([], transit_days=9, hazmat=False) is None
