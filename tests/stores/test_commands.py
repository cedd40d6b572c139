"""Commands that cannot be carried out, on a real Postgres: each has an answer."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy.exc import OperationalError

from models.db import Database
from models.errors import ConflictError
from models.messages.commands import Asked, Cancel, CommandOutcome
from models.mint import mint
from models.stores import obedience
from models.tables.messages import Audit, Case, Command
from models.tables.orders import Hold
from models.tables.shipments import Shipment
from models.words import CaseType, CommandKind, Stage, Verdict
from tests.conftest import MovableClock
from tests.relay.rows import Rows
from workers.engine import ledgers

KEY_ERROR = KeyError("what a person typed")


@dataclass
class Desk:
    """Two orders, each with a parcel to be packed."""

    rows: Rows
    obey: Callable[[str, Asked], CommandOutcome | None]
    receive: Callable[[str, Asked], CommandOutcome | None]
    orders: list[str] = field(default_factory=list)
    shipments: list[str] = field(default_factory=list)

    def pack(self) -> Asked:
        """Its command is recorded, as the api does it."""
        given = {"kind": CommandKind.PACK, "shipment_id": self.shipments[0], "payload": {}}
        command_id = self.rows.command(self.orders[0], **given)
        return Asked(command_id=command_id, kind=CommandKind.PACK, shipment_id=self.shipments[0])

    def outcome(self, command_id: str) -> object:
        (row,) = self.rows.all(Command, Command.id == command_id)
        return row.outcome and row.outcome["code"]


@pytest.fixture
def desk(database: Database, clock: MovableClock) -> Desk:
    rows, books = Rows(database, clock.now()), ledgers(database, clock)
    rows.shop()
    desk = Desk(
        rows,
        lambda order_id, asked: books.orders.obey(order_id, asked).outcome,
        lambda return_id, asked: books.returns.obey(return_id, asked).outcome,
    )
    for _ in range(2):
        desk.orders.append(rows.order(verdict=Verdict.CONFIRMED, confirmed_at=clock.now()))
        desk.shipments.append(mint("shp"))
        parcel = {"id": desk.shipments[-1], "position": 1, "location_id": "loc_1", "stage": Stage.ACCEPTED}
        rows.add(Shipment, **parcel, order_id=desk.orders[-1], created_at=clock.now())
    return desk


@pytest.mark.parametrize("kind", [CommandKind.PACK, CommandKind.ACCEPT, CommandKind.HOLD])
def test_a_shipment_of_another_order_is_unknown_when_a_command_by_hand_names_it(desk: Desk, kind: CommandKind) -> None:
    asked = Asked(command_id="by-hand", kind=kind, shipment_id=desk.shipments[1])
    for _ in range(2):
        outcome = desk.obey(desk.orders[0], asked)
        assert outcome is not None
        assert (outcome.done, outcome.code) == (False, "unknown_shipment")
    assert desk.outcome("by-hand") == "unknown_shipment"
    assert [row.outcome for row in desk.rows.all(Audit)] == ["unknown_shipment"]
    assert desk.rows.all(Hold) == []


def test_a_command_is_refused_when_it_was_given_to_another_order(desk: Desk) -> None:
    command_id = desk.rows.command(desk.orders[1])
    asked = Asked(command_id=command_id, kind=CommandKind.CANCEL, cancel=Cancel(key=command_id))
    outcome = desk.obey(desk.orders[0], asked)
    assert outcome is not None
    assert (outcome.done, outcome.code) == (False, "other_order")
    assert desk.outcome(command_id) is None


@pytest.mark.parametrize(
    ("error", "code"), [(ConflictError("no", code="not_now"), "not_now"), (KEY_ERROR, "command_failed")]
)
def test_a_command_has_an_answer_when_it_breaks_for_good(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    asked = desk.pack()
    monkeypatch.setattr(obedience, "_weigh", broken(error))
    outcome = desk.obey(desk.orders[0], asked)
    assert outcome is not None
    assert (outcome.done, outcome.code) == (False, code)
    assert desk.outcome(asked.command_id) == code
    cases: list[Case] = desk.rows.all(Case)
    assert [case.type for case in cases] == ([CaseType.SENSELESS_COMMAND] if error is KEY_ERROR else [])
    assert all(case.detail["error"] == "KeyError" and "typed" not in str(case.detail) for case in cases)


def test_a_returns_command_has_an_answer_when_it_breaks_for_good(desk: Desk) -> None:
    return_id = desk.rows.returned(desk.orders[0], "9400")
    command_id = desk.rows.command(desk.orders[0], kind=CommandKind.RECEIVE, return_id=return_id)  # it names no units
    asked = Asked(command_id=command_id, kind=CommandKind.RECEIVE, return_id=return_id)
    for _ in range(2):
        outcome = desk.receive(return_id, asked)
        assert outcome is not None
        assert (outcome.done, outcome.code) == (False, "command_failed")
    assert desk.outcome(command_id) == "command_failed"
    (case,) = desk.rows.all(Case)
    assert (case.type, case.subject) == (CaseType.SENSELESS_COMMAND, command_id)


def test_a_command_is_asked_again_when_postgres_was_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = desk.pack()
    monkeypatch.setattr(obedience, "_weigh", broken(OperationalError("", {}, Exception())))
    with pytest.raises(OperationalError):
        desk.obey(desk.orders[0], asked)
    assert desk.outcome(asked.command_id) is None


def broken(error: Exception) -> Callable[..., int]:
    def weigh(*_: object) -> int:
        raise error

    return weigh
