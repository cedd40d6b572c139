"""Facts from outside: matched to an order, held back while an activity is at it, and handed on when they are news."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.heard import Heard
from models.stores.inbox import InboxStore
from models.tables.messages import Case
from models.tables.payments import PaymentOperation
from models.tables.shipments import TrackingEvent
from models.words import CaseType, IntentState, OperationKind, Outcome
from tests.conftest import MovableClock
from tests.relay.rows import Rows


def scan(status: str, code: str, at: datetime, fact_id: str = "evt_1") -> Heard:
    payload = {"status": status, "detail": "a_detail", "scanned": True}
    return Heard(fact_id, "easypost", f"tracking.{status}", code, at, payload)


def paid(kind: str, at: datetime, **payload: Any) -> Heard:
    return Heard("evt_1", "stripe", kind, "pi_1", at, payload)


def test_the_run_is_to_hear_of_a_scan_when_nobody_handed_the_parcel_over(
    inbox: InboxStore, rows: Rows, clock: MovableClock
) -> None:
    order_id = rows.order()
    rows.parcel(order_id, "9400")
    assert inbox.take(scan("in_transit", "9400", clock.now()))
    (due,) = inbox.due()
    assert (due.id, due.kind, due.order_id) == ("evt_1", "tracking.in_transit", order_id)
    assert rows.all(TrackingEvent) == []


def test_a_scan_is_history_alone_when_it_changes_no_milestone(
    inbox: InboxStore, rows: Rows, clock: MovableClock
) -> None:
    rows.parcel(rows.order(), "9400", handed_over_at=clock.now())
    inbox.take(scan("out_for_delivery", "9400", clock.now()))
    assert inbox.due() == []
    (event,) = rows.all(TrackingEvent)
    assert (event.status, event.detail, event.inbox_id) == ("out_for_delivery", "a_detail", "evt_1")
    assert (rows.fact("evt_1").result, rows.fact("evt_1").signalled_at) == ("nothing_new", None)


def test_a_fact_is_kept_once_when_it_comes_again(inbox: InboxStore, rows: Rows, clock: MovableClock) -> None:
    rows.parcel(rows.order(), "9400", handed_over_at=clock.now())
    heard = scan("in_transit", "9400", clock.now())
    assert [inbox.take(heard), inbox.take(heard)] == [True, False]
    assert len(rows.all(TrackingEvent)) == 1


def test_a_told_fact_is_not_due_again_when_its_run_has_it(inbox: InboxStore, rows: Rows, clock: MovableClock) -> None:
    rows.parcel(rows.order(), "9400")
    inbox.take(scan("delivered", "9400", clock.now()))
    inbox.signalled([fact.id for fact in inbox.due()])
    assert inbox.due() == []


def test_an_early_scan_finds_its_order_when_the_purchase_is_recorded_later(
    inbox: InboxStore, rows: Rows, clock: MovableClock
) -> None:
    inbox.take(scan("in_transit", "9400", clock.now()))
    assert inbox.due() == []
    order_id = rows.order()
    rows.parcel(order_id, "9400")
    assert inbox.due() == []
    clock.advance(timedelta(seconds=2))
    assert [fact.order_id for fact in inbox.due()] == [order_id]


def test_it_is_a_case_when_no_order_is_known_for_a_day(inbox: InboxStore, rows: Rows, clock: MovableClock) -> None:
    inbox.take(scan("in_transit", "9400", clock.now()))
    started = clock.now()
    for _ in range(60):
        assert inbox.due() == []
        if rows.all(Case):
            break
        clock.advance(max(rows.fact("evt_1").due_at - clock.now(), timedelta(0)) + timedelta(milliseconds=1))
    assert timedelta(hours=24) <= clock.now() - started < timedelta(hours=26)
    (case,) = rows.all(Case)
    assert (case.type, case.subject, case.detail["subject"]) == (CaseType.UNKNOWN_FACT, "evt_1", "9400")
    assert rows.fact("evt_1").result == "unknown_fact"
    assert inbox.due() == []


# Money


def test_an_event_is_left_to_the_activity_when_its_operation_is_still_planned(
    inbox: InboxStore, rows: Rows, clock: MovableClock
) -> None:
    order_id = rows.order()
    key = f"{order_id}:authorize:1:1"
    rows.operation(order_id, key, OperationKind.AUTHORIZE)
    inbox.take(paid("payment.authorized", clock.now(), order=order_id, operation=key))
    assert inbox.due() == []
    assert rows.fact("evt_1").order_id == order_id
    clock.advance(timedelta(seconds=59))
    assert inbox.due() == []
    clock.advance(timedelta(seconds=2))
    assert [fact.order_id for fact in inbox.due()] == [order_id]


def test_an_event_ends_when_the_activity_has_recorded_it_within_the_minute(
    inbox: InboxStore, rows: Rows, clock: MovableClock
) -> None:
    order_id = rows.order()
    rows.intent(order_id, "pi_1")
    rows.operation(order_id, "op", OperationKind.CAPTURE, intent_id="pi_1", shipment_id=rows.parcel(order_id, "9400"))
    inbox.take(paid("payment.captured", clock.now(), received=1000))
    assert inbox.due() == []

    def record(session: Any) -> None:
        operation = session.get(PaymentOperation, "op")
        operation.outcome, operation.known_at = Outcome.SUCCEEDED, clock.now()

    rows._db.transaction(record)
    clock.advance(timedelta(seconds=61))
    assert inbox.due() == []
    assert rows.fact("evt_1").result == "nothing_new"


def test_an_event_tells_nothing_when_an_operation_holds_its_outcome(
    inbox: InboxStore, rows: Rows, clock: MovableClock
) -> None:
    order_id = rows.order()
    rows.intent(order_id, "pi_1")
    known = {"intent_id": "pi_1", "outcome": Outcome.SUCCEEDED}
    rows.operation(order_id, "op", OperationKind.AUTHORIZE, **known)
    inbox.take(paid("payment.authorized", clock.now(), operation="op"))
    assert inbox.due() == []
    assert rows.fact("evt_1").result == "nothing_new"


def test_the_run_is_to_hear_of_3d_secure_when_the_customer_answered_it(
    inbox: InboxStore, rows: Rows, clock: MovableClock
) -> None:
    order_id = rows.order()
    rows.intent(order_id, "pi_1", IntentState.REQUIRES_ACTION)
    asked = {"intent_id": "pi_1", "outcome": Outcome.REQUIRES_ACTION}
    rows.operation(order_id, "op", OperationKind.AUTHORIZE, **asked)
    inbox.take(paid("payment.authorized", clock.now(), operation="op"))
    assert [fact.order_id for fact in inbox.due()] == [order_id]


def test_the_run_is_to_hear_of_a_refund_when_nobody_here_made_it(
    inbox: InboxStore, rows: Rows, clock: MovableClock
) -> None:
    order_id = rows.order()
    rows.intent(order_id, "pi_1")
    known = {"intent_id": "pi_1", "outcome": Outcome.SUCCEEDED}
    rows.operation(order_id, "op", OperationKind.AUTHORIZE, **known)
    inbox.take(paid("refund.succeeded", clock.now(), refund="re_1"))
    assert [fact.order_id for fact in inbox.due()] == [order_id]


@pytest.mark.parametrize("order", ["ord_of_another_shop", None])
def test_an_event_waits_when_it_names_no_order_of_ours(
    inbox: InboxStore, rows: Rows, clock: MovableClock, order: str | None
) -> None:
    inbox.take(paid("payment.captured", clock.now(), received=1, **({"order": order} if order else {})))
    assert inbox.due() == []
    assert rows.fact("evt_1").order_id is None
