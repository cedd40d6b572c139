"""Cases end with what ends them, whoever brought it about, on a real Postgres; and by hand, which the run learns of."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from models.db import Database
from models.heard import Heard
from models.messages.commands import Asked
from models.mint import mint
from models.stores.cases import CaseStore
from models.stores.inbox import InboxStore
from models.stores.leftovers import Leftovers
from models.stores.stock import StockStore
from models.tables.messages import Audit, Case, InboxFact
from models.tables.orders import Hold
from models.words import CaseType, CommandKind, Role, Stage, Verdict
from tests.conftest import MovableClock
from tests.relay.rows import Rows
from workers.engine import Ledgers, ledgers


@dataclass
class Desk:
    """An order with one parcel."""

    rows: Rows
    books: Ledgers
    inbox: InboxStore
    clock: MovableClock
    order_id: str
    shipment_id: str

    def case(self, kind: CaseType, subject: str | None = None, **detail: Any) -> str:
        values = {"type": kind, "subject": subject or self.shipment_id, "owner": Role.OPS, "detail": detail}
        case_id = mint("case")
        self.rows.add(Case, id=case_id, order_id=self.order_id, opened_at=self.clock.now(), **values)
        return case_id

    def open(self) -> list[CaseType]:
        return [case.type for case in self.rows.all(Case, Case.closed_at.is_(None))]

    def hold(self, reason: str, shipment_id: str | None = None) -> str:
        hold_id = mint("hold")
        placed = {"actor": "test", "placed_at": self.clock.now(), "shipment_id": shipment_id}
        self.rows.add(Hold, id=hold_id, order_id=self.order_id, reason=reason, **placed)
        return hold_id

    def release(self, hold_id: str) -> None:
        command_id = self.rows.command(self.order_id, kind=CommandKind.RELEASE, payload={"hold": hold_id})
        self.books.orders.obey(self.order_id, Asked(command_id=command_id, kind=CommandKind.RELEASE))

    def scan(self, status: str) -> str:
        """What the run is told of it, taken in as by the run; empty when it is told nothing."""
        scan = {"status": status, "detail": "", "scanned": True}
        self.inbox.take(Heard(mint("evt"), "easypost", f"tracking.{status}", "9400", self.clock.now(), scan))
        due = self.inbox.due()
        return "".join(self.books.orders.apply_facts(self.order_id, [fact.id]).facts.exception or "-" for fact in due)


@pytest.fixture
def desk(database: Database, clock: MovableClock) -> Desk:
    rows = Rows(database, clock.now())
    rows.shop()
    order_id = rows.order(verdict=Verdict.CONFIRMED, confirmed_at=clock.now())
    rows.intent(order_id, "pi_1")
    parcel = rows.parcel(order_id, "9400", stage=Stage.HANDED_OVER, handed_over_at=clock.now(), packed_at=clock.now())
    return Desk(rows, ledgers(database, clock), InboxStore(database, clock), clock, order_id, parcel)


def test_the_carriers_silence_is_over_when_the_next_scan_comes(desk: Desk) -> None:
    desk.case(CaseType.TRACKING_SILENT)
    assert desk.scan("in_transit") == "-"
    assert desk.open() == []
    assert desk.rows.told(desk.order_id) == ["shipment.on_its_way", "case.closed"]
    assert desk.scan("in_transit") == ""  # and it tells nobody anything again


def test_a_scan_opens_what_it_means_and_ends_the_silence_when_the_parcel_is_in_trouble(desk: Desk) -> None:
    desk.case(CaseType.TRACKING_SILENT)
    assert desk.scan("failure") == "delivery_trouble"
    assert desk.open() == [CaseType.DELIVERY_TROUBLE]
    assert desk.scan("delivered") == "-"
    assert desk.open() == []


def test_the_shelf_is_still_to_be_counted_when_the_parcel_arrives(desk: Desk) -> None:
    for kind in (CaseType.STOCK_MISSING, CaseType.TRACKING_CONTRADICTS):
        desk.case(kind)
    desk.scan("delivered")
    assert sorted(desk.open()) == [CaseType.STOCK_MISSING, CaseType.TRACKING_CONTRADICTS]


def test_a_hold_is_overdue_no_more_when_the_last_one_is_released(desk: Desk) -> None:
    first, second = desk.hold("fraud_review"), desk.hold("address", desk.shipment_id)
    desk.case(CaseType.HOLD_OVERDUE)
    desk.release(first)
    assert desk.open() == [CaseType.HOLD_OVERDUE]
    desk.release(second)
    assert desk.open() == []


@pytest.mark.parametrize("reason", ["captured_outside", "forgotten_cancel", "forgotten_refund"])
def test_the_payment_contradicts_no_more_when_the_hold_for_it_is_released(desk: Desk, reason: str) -> None:
    other, placed = desk.hold("fraud_review"), desk.hold(reason)
    desk.case(CaseType.PAYMENT_CONTRADICTS, "pi_1")
    desk.release(other)
    assert desk.open() == [CaseType.PAYMENT_CONTRADICTS]
    desk.release(placed)
    assert desk.open() == []


def test_the_run_is_told_once_when_reconciliation_opens_or_ends_a_case(desk: Desk, database: Database) -> None:
    left, key = Leftovers(database, desk.clock, StockStore()), f"{desk.order_id}:void:pi_1:1"
    seen: list[str] = []
    for work in (left.own, left.disown):
        work(desk.order_id, key)
        (fact,) = desk.inbox.due()
        seen.append(desk.books.orders.apply_facts(desk.order_id, [fact.id]).facts.exception)
    assert seen == ["stuck_effect", ""]


def test_the_story_the_audit_and_the_run_tell_of_it_when_somebody_closes_a_case(desk: Desk, database: Database) -> None:
    case_id, later = desk.case(CaseType.STOCK_MISSING), desk.clock.now() + timedelta(minutes=1)
    CaseStore(database, desk.clock).close(case_id, role=Role.OPS, actor="ann", resolution="Counted: it was there.")
    (audit,) = desk.rows.all(Audit)
    assert (audit.actor, audit.action, audit.subject) == ("ann", "case.close", case_id)
    assert audit.detail["resolution"] == "Counted: it was there."
    assert desk.rows.told(desk.order_id) == ["case.closed"]
    (fact,) = desk.rows.all(InboxFact, InboxFact.due_at < later)
    assert [due.id for due in desk.inbox.due()] == [fact.id]
    assert desk.books.orders.apply_facts(desk.order_id, [fact.id]).facts.exception == ""
    assert desk.rows.fact(fact.id).result == "noted"
