"""A refund that was refused is made anew when somebody says retry, on a real Postgres: what each step leaves."""

from datetime import datetime, timedelta

import pytest

from models.db import Database
from models.heard import Heard
from models.messages.commands import Asked
from models.mint import mint
from models.stores.inbox import InboxStore
from models.stores.leftovers import Leftovers
from models.stores.stock import StockStore
from models.tables.messages import Case
from models.vendors import Refunded
from models.words import CaseType, CommandKind, IntentState, OperationKind, Outcome, Role, Stage, Verdict
from tests.conftest import MovableClock
from tests.relay.rows import Rows
from workers.engine import Ledgers, ledgers

LONG_AGO = timedelta(hours=1)


@pytest.fixture
def rows(database: Database, clock: MovableClock) -> Rows:
    rows = Rows(database, clock.now())
    rows.shop()
    return rows


def refused(rows: Rows, clock: MovableClock) -> str:
    """A closed order of which the shipping charge alone was to go back."""
    order_id = rows.order(verdict=Verdict.CONFIRMED, confirmed_at=clock.now(), closed_at=clock.now() - LONG_AGO)
    rows.intent(order_id, "pi_1", IntentState.CAPTURED)
    parcel = rows.parcel(order_id, "9400", stage=Stage.CANCELLED)
    money = {"intent_id": "pi_1", "amount": 500, "shipping": 500}
    rows.operation(
        order_id, "c:1", OperationKind.CAPTURE, **money, shipment_id=parcel, outcome=Outcome.SUCCEEDED
    )  # fmt: skip
    rows.operation(order_id, "r:1", OperationKind.REFUND, **money, claim_id="clm_1", outcome=Outcome.REFUSED)
    case = {"type": CaseType.REFUND_FAILED, "subject": "pi_1", "owner": Role.CS, "detail": {}}
    rows.add(Case, id=mint("case"), order_id=order_id, opened_at=clock.now(), **case)
    return order_id


def asked_anew(rows: Rows, order_id: str, leg: int, at: datetime) -> str:
    """The refund that was planned next."""
    money = {"intent_id": "pi_1", "amount": 500, "shipping": 500, "claim_id": "clm_1"}
    rows.operation(order_id, f"r:{leg}", OperationKind.REFUND, **money, leg=leg, planned_at=at)
    return f"r:{leg}"


def retry(rows: Rows, books: Ledgers, order_id: str) -> tuple[int, int]:
    """How many are due again, and how many never will be."""
    asked = Asked(command_id=rows.command(order_id, kind=CommandKind.RETRY), kind=CommandKind.RETRY)
    outcome = books.orders.obey(order_id, asked).outcome
    assert outcome
    return outcome.detail["refunds"], outcome.detail["refused_for_good"]


def test_a_closed_order_is_settled_again_until_it_was_asked_when_its_shipping_charge_is_retried(
    rows: Rows, database: Database, clock: MovableClock
) -> None:
    order_id, left = refused(rows, clock), Leftovers(database, clock, StockStore())
    assert left.unsettled() == []
    assert retry(rows, ledgers(database, clock), order_id) == (1, 0)
    assert left.unsettled() == [order_id]
    asked_anew(rows, order_id, 2, clock.now())
    assert left.unsettled() == []


def test_one_case_stays_open_until_the_money_is_there_when_a_retry_is_refused_too(
    rows: Rows, database: Database, clock: MovableClock
) -> None:
    order_id, books = refused(rows, clock), ledgers(database, clock)
    for leg, outcome in ((2, Outcome.REFUSED), (3, Outcome.PENDING)):
        assert retry(rows, books, order_id) == (1, 0)
        books.refunds.record_refund(order_id, asked_anew(rows, order_id, leg, clock.now()), Refunded(outcome))
        (case,) = rows.all(Case)
        assert (case.closed_at, case.reminded_at is not None) == (None, True)
    told = {"operation": "r:3", "amount": 500}
    heard = Heard("evt_1", "stripe", "refund.succeeded", "pi_1", clock.now(), told)
    InboxStore(database, clock).take(heard)
    books.orders.apply_facts(order_id, [heard.id])
    assert [case.resolution for case in rows.all(Case)] == ["payment.refunded"]


def test_the_case_stays_when_another_refund_of_the_same_authorization_succeeds(
    rows: Rows, database: Database, clock: MovableClock
) -> None:
    order_id = refused(rows, clock)
    other = {"intent_id": "pi_1", "amount": 300, "claim_id": "clm_2"}
    rows.operation(order_id, "r:2", OperationKind.REFUND, **other)
    ledgers(database, clock).refunds.record_refund(order_id, "r:2", Refunded(Outcome.SUCCEEDED, "re_2"))
    assert [case.closed_at for case in rows.all(Case)] == [None]
