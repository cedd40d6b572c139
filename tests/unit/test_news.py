"""Which facts tell an order something that it does not know."""

import pytest

from models.news import MoneyNow, News, ParcelNow, payment_news, tracking_news
from models.words import IntentState, Outcome

AT_STORE = ParcelNow(handed_over=False, delivered=False)
ON_ITS_WAY = ParcelNow(handed_over=True, delivered=False)
AT_HOME = ParcelNow(handed_over=True, delivered=True)


@pytest.mark.parametrize(
    ("status", "parcel", "scanned", "news"),
    [
        ("in_transit", AT_STORE, True, News.NOW),
        ("out_for_delivery", AT_STORE, True, News.NOW),
        ("available_for_pickup", AT_STORE, True, News.NOW),
        ("delivered", AT_STORE, True, News.NOW),
        ("return_to_sender", AT_STORE, True, News.NOW),
        ("failure", AT_STORE, True, News.NOW),
        ("failure", AT_STORE, False, News.NONE),
        ("pre_transit", AT_STORE, False, News.NONE),
        ("unknown", AT_STORE, False, News.NONE),
        ("cancelled", AT_STORE, False, News.NONE),
        ("error", AT_STORE, False, News.NONE),
        ("in_transit", ON_ITS_WAY, True, News.NONE),
        ("out_for_delivery", ON_ITS_WAY, True, News.NONE),
        ("delivered", ON_ITS_WAY, True, News.NOW),
        ("return_to_sender", ON_ITS_WAY, True, News.NOW),
        ("failure", ON_ITS_WAY, True, News.NOW),
        ("delivered", AT_HOME, True, News.NONE),
        ("return_to_sender", AT_HOME, True, News.NOW),
    ],
)
def test_a_scan_is_news_when_it_changes_a_milestone(status: str, parcel: ParcelNow, scanned: bool, news: News) -> None:
    assert tracking_news(status, parcel, scanned=scanned) is news


def money(
    named: Outcome | None = None,
    state: IntentState = IntentState.OPEN,
    captured: int = 0,
    *,
    in_flight: bool = False,
) -> MoneyNow:
    return MoneyNow(in_flight=in_flight, named=named, state=state, captured=captured)


@pytest.mark.parametrize(
    ("kind", "known", "news"),
    [
        ("payment.authorized", money(Outcome.SUCCEEDED), News.NONE),
        ("payment.authorized", money(Outcome.REQUIRES_ACTION), News.NOW),
        ("payment.authorized", money(in_flight=True), News.LATER),
        ("payment.failed", money(Outcome.REFUSED), News.NONE),
        ("payment.failed", money(Outcome.REQUIRES_ACTION), News.NOW),
        ("payment.canceled", money(state=IntentState.VOIDED), News.NONE),
        ("payment.canceled", money(state=IntentState.OPEN), News.NOW),
        ("payment.captured", money(captured=1000), News.NONE),
        ("payment.captured", money(captured=400), News.NOW),
        ("payment.captured", money(captured=400, in_flight=True), News.LATER),
        ("refund.succeeded", money(Outcome.SUCCEEDED), News.NONE),
        ("refund.failed", money(Outcome.SUCCEEDED), News.NOW),
        ("refund.succeeded", money(), News.NOW),
        ("dispute.created", money(Outcome.SUCCEEDED, in_flight=True), News.NOW),
    ],
)
def test_an_event_is_news_when_no_operation_holds_its_outcome(kind: str, known: MoneyNow, news: News) -> None:
    assert payment_news(kind, known, received=1000) is news
