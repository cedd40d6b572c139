"""Which orders are looked at, in pages and by what was left lying; and what is done to their runs."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from models.db import Database
from models.messages.commands import FactArrived
from models.messages.facts import OrderFacts
from models.messages.order import OrderInput
from models.stores.finding import FORGOTTEN
from models.stores.lost_runs import LostRuns
from models.stores.sweeps import SweepStore
from models.tables.messages import InboxFact
from models.tables.shipments import Label
from models.words import OperationKind
from tests.conftest import MovableClock
from tests.relay.conftest import FakeOrders
from tests.relay.rows import Rows
from workers import mending_runs
from workers.mending_runs import MendingRuns

NOW = datetime.now(UTC)


@dataclass
class Runs:
    """Temporal, as far as reconciliation sees it: everything is well, but for what a test says."""

    stands: dict[str, Literal["running", "completed", "failed", "none"]] = field(default_factory=dict)
    knows: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    resumed: list[tuple[str, bool]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    terminated: list[str] = field(default_factory=list)

    async def standing(self, run_id: str) -> Literal["running", "completed", "failed", "none"]:
        self.asked.append(run_id)
        return self.stands.get(run_id, "running")

    async def revision(self, order_id: str) -> int | None:
        return self.knows.get(order_id)

    async def signal_fact(self, run_id: str, arrived: FactArrived) -> Literal["sent", "no_run", "away"]:
        self.told.append((run_id, arrived.id))
        return "sent"

    async def resume(self, order: OrderInput, *, completed: bool) -> None:
        self.resumed.append((order.order_id, completed))

    async def terminate(self, order_id: str, why: str) -> None:
        self.terminated.append(order_id)


@pytest.fixture
def seen() -> Runs:
    return Runs()


@pytest.fixture
def lost(database: Database, clock: MovableClock) -> LostRuns:
    return LostRuns(database, clock)


@pytest.fixture
def mending(database: Database, clock: MovableClock, lost: LostRuns, orders: FakeOrders, seen: Runs) -> MendingRuns:
    return MendingRuns(lost, SweepStore(database, clock), orders, seen, is_heard=lambda: True, clock=clock)


async def test_every_open_order_has_its_turn_when_there_are_more_than_a_page(
    mending: MendingRuns, seen: Runs, rows: Rows, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending_runs, "PAGE", 2)
    ids = [rows.order() for _ in range(3)]
    rows.order(closed_at=clock.now())
    await mending.mend()
    assert seen.asked == []  # taken a moment ago: they may be about to be started
    clock.advance(timedelta(minutes=2))
    await mending.mend()
    assert sorted(seen.asked) == sorted(ids)[:2]
    await mending.mend()
    assert sorted(seen.asked) == sorted(ids)
    await mending.mend()
    assert sorted(seen.asked) == sorted([*ids, *sorted(ids)[:2]])


def test_an_order_is_suspect_when_something_of_it_was_left_lying(
    lost: LostRuns, rows: Rows, clock: MovableClock
) -> None:
    rows.order()
    with_command, with_fact, with_money, with_label, closed = (rows.order() for _ in range(5))
    rows.command(with_command)
    at = clock.now()
    times = {"occurred_at": at, "received_at": at, "due_at": at, "signalled_at": at}
    rows.add(InboxFact, id="f", source="s", kind="k", subject="x", order_id=with_fact, payload={}, **times)
    rows.intent(with_money, "pi_1")
    rows.operation(with_money, "op", OperationKind.VOID, intent_id="pi_1")
    shipment = rows.parcel(with_label, "9400")
    rows.change(Label, Label.shipment_id == shipment, bought_at=None, tracking_code=None)
    rows.command(closed)
    rows.close(closed, at)
    assert lost.suspects() == []
    clock.advance(timedelta(minutes=2))
    assert lost.suspects() == sorted([with_command, with_fact, with_money, with_label])


@pytest.mark.parametrize(("standing", "completed"), [("none", False), ("failed", False), ("completed", True)])
async def test_an_open_order_gets_a_run_when_its_own_is(
    mending: MendingRuns, seen: Runs, rows: Rows, standing: Literal["none", "failed", "completed"], completed: bool
) -> None:
    order_id = rows.order()
    seen.stands[order_id] = standing
    assert await mending.look_at([order_id]) == 1
    assert seen.resumed == [(order_id, completed)]
    assert rows.told(order_id) == ["run.resumed"]


async def test_no_run_is_started_when_the_order_was_closed_meanwhile(
    mending: MendingRuns, seen: Runs, rows: Rows, clock: MovableClock
) -> None:
    order_id = rows.order(closed_at=clock.now())
    seen.stands[order_id] = "completed"
    assert await mending.look_at([order_id]) == 0
    assert (seen.resumed, rows.told(order_id)) == ([], [])


async def test_a_run_goes_on_when_nobody_can_say_what_it_knows(mending: MendingRuns, seen: Runs, rows: Rows) -> None:
    assert await mending.look_at([rows.order()]) == 0
    assert (seen.resumed, seen.told, seen.terminated) == ([], [], [])


async def test_a_run_is_told_when_it_has_been_behind_for_a_while(
    mending: MendingRuns, seen: Runs, rows: Rows, clock: MovableClock
) -> None:
    order_id = rows.order(revision=5)
    seen.knows[order_id] = 4
    assert await mending.look_at([order_id]) == 0  # it may be learning just now
    clock.advance(timedelta(minutes=6))
    assert await mending.look_at([order_id]) == 1
    assert seen.told == [(order_id, "revision-5")]


async def test_a_run_is_told_soon_when_it_did_not_hear_of_what_it_has_to_do(
    mending: MendingRuns, seen: Runs, rows: Rows, clock: MovableClock, orders: FakeOrders
) -> None:
    order_id = rows.order(revision=5)
    seen.knows[order_id] = 4
    clock.advance(timedelta(seconds=30))
    assert await mending.look_at([order_id]) == 0  # nothing is due: it hears of it with what comes next
    orders.known = OrderFacts(revision=5)  # whose address is to be verified
    assert await mending.look_at([order_id]) == 1
    assert seen.told == [(order_id, "revision-5")]


async def test_the_run_of_a_closed_order_is_told_when_it_goes_on(
    mending: MendingRuns, seen: Runs, rows: Rows, clock: MovableClock
) -> None:
    order_id, ended = (rows.order(revision=5, closed_at=clock.now()) for _ in range(2))
    seen.knows[order_id], seen.stands[ended] = 4, "completed"
    clock.advance(timedelta(minutes=6))
    assert await mending.end() == 1
    assert seen.told == [(order_id, "revision-5")]


def fact(rows: Rows, order_id: str, **values: Any) -> None:
    at = {"occurred_at": NOW, "received_at": NOW, "due_at": NOW}
    rows.add(InboxFact, id="f", source="s", kind="k", subject="x", order_id=order_id, payload={}, **at, **values)


async def test_another_run_resumes_once_when_postgres_had_forgotten_effects_and_counts_as_far_as_the_run(
    mending: MendingRuns, seen: Runs, rows: Rows, clock: MovableClock
) -> None:
    """Their histories part at the backup, so the same revision says something else to each."""
    order_id = rows.order(revision=5)
    clock.advance(timedelta(minutes=1))
    fact(rows, order_id, result=FORGOTTEN, applied_at=clock.now())
    seen.knows[order_id] = 5
    clock.advance(timedelta(minutes=1))
    assert await mending.look_at([order_id]) == 1
    assert (seen.terminated, seen.resumed) == ([order_id], [(order_id, False)])
    seen.knows[order_id] = 6
    assert await mending.look_at([order_id]) == 0


async def test_all_that_was_heard_is_taken_in_before_when_a_run_resumes(
    mending: MendingRuns, seen: Runs, rows: Rows, orders: FakeOrders
) -> None:
    """A label that was found, say: the run would buy another."""
    order_id = rows.order()
    fact(rows, order_id)
    seen.stands[order_id] = "none"
    assert await mending.look_at([order_id]) == 1
    assert orders.applied == [(order_id, ("f",))]


async def test_no_run_is_resumed_when_vendors_were_not_heard(
    mending: MendingRuns, seen: Runs, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "_is_heard", lambda: False)
    without, ahead = rows.order(), rows.order(revision=5)
    seen.stands[without], seen.knows[ahead] = "none", 7
    assert await mending.look_at([without, ahead]) == 0
    assert (seen.resumed, seen.terminated) == ([], [])
