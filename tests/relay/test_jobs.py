"""The relay's jobs on a real Postgres, with stand-ins for Temporal and the order store."""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from models.db import Database
from models.heard import Heard
from models.messages.commands import FactArrived
from models.stores.commands import CommandStore
from models.stores.events import EventsStore, Happened
from models.stores.inbox import InboxStore
from models.stores.lookout import Lookout, Waiting
from models.stores.requests import RequestStore
from models.stores.sweeps import SweepStore
from models.tables.messages import Due, Event, IdempotencyKey
from models.words import CommandKind, OrderStatus
from tests.conftest import MovableClock
from tests.relay.conftest import FakeOrders, FakeReturns, FakeRuns
from tests.relay.rows import Rows
from workers import relay_jobs
from workers.sinks import LogSink

Resend = Callable[[], Awaitable[int]]


class FakeSink:
    def __init__(self) -> None:
        self.got: list[Happened] = []
        self.broken = False

    def send(self, events: Sequence[Happened]) -> None:
        if self.broken:
            raise OSError("down")
        self.got += events


@pytest.fixture
def events(database: Database, clock: MovableClock) -> EventsStore:
    return EventsStore(database, clock)


@pytest.fixture
def sweeps(database: Database, clock: MovableClock) -> SweepStore:
    return SweepStore(database, clock)


@pytest.fixture
def resend(
    *,
    database: Database,
    clock: MovableClock,
    sweeps: SweepStore,
    orders: FakeOrders,
    returns: FakeReturns,
    runs: FakeRuns,
) -> Resend:
    commands = CommandStore(database, clock, RequestStore(database, clock))
    return lambda: relay_jobs.resend_commands(sweeps, commands, orders, returns, runs)


# Events


async def test_events_leave_in_order_and_once_when_the_sink_takes_them(events: EventsStore, rows: Rows) -> None:
    for aggregate, seq in (("ord_1", 1), ("ord_2", 1), ("ord_1", 2)):
        rows.event(aggregate, seq)
    sink = FakeSink()
    assert await relay_jobs.relay_events(events, sink) == 3
    assert [(event.aggregate, event.seq) for event in sink.got] == [("ord_1", 1), ("ord_2", 1), ("ord_1", 2)]
    assert await relay_jobs.relay_events(events, sink) == 0


async def test_events_stay_when_the_sink_is_down(events: EventsStore, rows: Rows) -> None:
    rows.event("ord_1", 1)
    sink = FakeSink()
    sink.broken = True
    with pytest.raises(OSError, match="down"):
        await relay_jobs.relay_events(events, sink)
    assert [event.relayed_at for event in rows.all(Event)] == [None]


def test_the_log_gets_no_data_when_events_go_there() -> None:
    with capture_logs() as lines:
        at = datetime(2026, 11, 24, tzinfo=UTC)
        LogSink().send([Happened(7, "ord_1", 1, "order.placed", "cs:demo", at, {"note": "for Ada"})])
    assert lines == [
        {
            "event": "order.placed",
            "event_id": 7,
            "aggregate": "ord_1",
            "seq": 1,
            "at": at.isoformat(),
            "log_level": "info",
        }
    ]


# What there is to do


def test_the_relay_sees_what_waits_when_it_looks(
    database: Database, rows: Rows, inbox: InboxStore, events: EventsStore, clock: MovableClock
) -> None:
    look = Lookout(database, clock).look
    assert look() == Waiting(events=False, facts=False)
    rows.event("ord_1", 1)
    assert look() == Waiting(events=True, facts=False)
    events.relayed([event.id for event in events.unrelayed()])
    arrive(inbox, rows, clock, "A")
    assert look() == Waiting(events=False, facts=True)
    clock.advance(timedelta(seconds=-1))
    assert look() == Waiting(events=False, facts=False)


# Facts


def arrive(inbox: InboxStore, rows: Rows, clock: MovableClock, *codes: str) -> list[str]:
    """An order for each code, with two scans of its parcel each."""
    made: list[str] = []
    for code in codes:
        made.append(order_id := rows.order())
        rows.parcel(order_id, code)
        for status in ("in_transit", "delivered"):
            payload = {"status": status, "scanned": True}
            inbox.take(Heard(f"evt_{code}_{status}", "easypost", f"tracking.{status}", code, clock.now(), payload))
    return made


async def test_a_run_hears_its_facts_in_order_when_they_are_due(
    *, inbox: InboxStore, rows: Rows, clock: MovableClock, runs: FakeRuns, orders: FakeOrders, returns: FakeReturns
) -> None:
    first, second = arrive(inbox, rows, clock, "A", "B")
    assert await relay_jobs.tell_facts(inbox, orders, returns, runs) == 4
    for order_id, code in ((first, "A"), (second, "B")):
        assert [fact for to, fact in runs.facts if to == order_id] == [
            FactArrived(id=f"evt_{code}_in_transit", kind="tracking.in_transit"),
            FactArrived(id=f"evt_{code}_delivered", kind="tracking.delivered"),
        ]
    assert await relay_jobs.tell_facts(inbox, orders, returns, runs) == 0


async def test_postgres_takes_the_fact_in_when_the_run_is_over(
    *, inbox: InboxStore, rows: Rows, clock: MovableClock, runs: FakeRuns, orders: FakeOrders, returns: FakeReturns
) -> None:
    (order_id,) = arrive(inbox, rows, clock, "A")
    runs.say = "no_run"
    await relay_jobs.tell_facts(inbox, orders, returns, runs)
    assert orders.applied == [(order_id, ("evt_A_in_transit",)), (order_id, ("evt_A_delivered",))]
    assert await relay_jobs.tell_facts(inbox, orders, returns, runs) == 0


async def test_facts_stay_due_when_temporal_is_away(
    *, inbox: InboxStore, rows: Rows, clock: MovableClock, runs: FakeRuns, orders: FakeOrders, returns: FakeReturns
) -> None:
    arrive(inbox, rows, clock, "A")
    runs.say = "away"
    with pytest.raises(ConnectionError):
        await relay_jobs.tell_facts(inbox, orders, returns, runs)
    runs.say = "sent"
    assert await relay_jobs.tell_facts(inbox, orders, returns, runs) == 2


async def test_other_orders_hear_theirs_once_when_one_cannot(
    *, inbox: InboxStore, rows: Rows, clock: MovableClock, runs: FakeRuns, orders: FakeOrders, returns: FakeReturns
) -> None:
    unlucky, lucky = arrive(inbox, rows, clock, "A", "B")
    runs.away_for = frozenset({unlucky})
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await relay_jobs.tell_facts(inbox, orders, returns, runs)
    assert [to for to, _ in runs.facts] == [lucky, lucky]


@pytest.mark.parametrize("over", [False, True])
async def test_a_return_hears_the_first_scan_of_its_own_label_when_it_runs_or_is_over(
    *,
    inbox: InboxStore,
    rows: Rows,
    clock: MovableClock,
    runs: FakeRuns,
    orders: FakeOrders,
    returns: FakeReturns,
    over: bool,
) -> None:
    return_id = rows.returned(rows.order(), "BACK")
    inbox.take(Heard("evt_1", "easypost", "tracking.in_transit", "BACK", clock.now(), {"status": "in_transit"}))
    runs.say = "no_run" if over else "sent"
    assert await relay_jobs.tell_facts(inbox, orders, returns, runs) == 1
    assert [to for to, _ in runs.facts] == [return_id]
    assert (returns.applied, orders.applied) == ([(return_id, ("evt_1",))] if over else [], [])


# Sweeps


async def test_a_run_is_started_when_a_return_was_left_without(
    runs: FakeRuns, returns: FakeReturns, clock: MovableClock
) -> None:
    returns.waiting = ["ret_1", "ret_2"]
    assert await relay_jobs.start_returns(returns, runs, clock.now()) == 2
    assert sorted(runs.started) == sorted(returns.marked) == ["ret_1", "ret_2"]


async def test_a_return_answers_its_command_when_its_run_is_over(
    resend: Resend, rows: Rows, clock: MovableClock, runs: FakeRuns, returns: FakeReturns
) -> None:
    order_id = rows.order()
    return_id = rows.returned(order_id, "BACK", closed_at=clock.now(), deadline=None)
    command_id = rows.command(order_id, kind=CommandKind.RECEIVE, return_id=return_id)
    clock.advance(timedelta(seconds=6))
    await resend()
    assert ([asked.command_id for asked in returns.obeyed], runs.commands) == ([command_id], [])


async def test_a_run_is_started_when_an_order_was_left_without(
    runs: FakeRuns, orders: FakeOrders, clock: MovableClock
) -> None:
    orders.waiting = ["ord_1", "ord_2"]
    assert await relay_jobs.start_orders(orders, runs, clock.now()) == 2
    assert sorted(runs.started) == sorted(orders.marked) == ["ord_1", "ord_2"]


async def test_an_order_stays_unstarted_when_nothing_was_heard(
    runs: FakeRuns, orders: FakeOrders, clock: MovableClock
) -> None:
    orders.waiting, runs.answer = ["ord_1"], False
    assert await relay_jobs.start_orders(orders, runs, clock.now()) == 0
    assert orders.marked == []


async def test_the_other_orders_are_started_when_one_is_broken(
    runs: FakeRuns, orders: FakeOrders, clock: MovableClock
) -> None:
    orders.waiting, orders.broken_for = ["ord_1", "ord_2"], frozenset({"ord_1"})
    with pytest.raises(RuntimeError):
        await relay_jobs.start_orders(orders, runs, clock.now())
    assert orders.marked == ["ord_2"]


async def test_a_command_is_sent_again_by_its_id_when_its_outcome_is_not_known(
    resend: Resend, rows: Rows, clock: MovableClock, runs: FakeRuns
) -> None:
    command_id = rows.command(rows.order())
    assert await resend() == 0
    clock.advance(timedelta(seconds=6))
    assert await resend() == 1
    (asked,) = runs.commands
    assert asked.command_id == command_id
    assert asked.cancel is not None
    assert asked.cancel.key == command_id


async def test_postgres_answers_a_command_when_the_run_is_over(
    resend: Resend, rows: Rows, clock: MovableClock, runs: FakeRuns, orders: FakeOrders
) -> None:
    command_id = rows.command(rows.order(status=OrderStatus.FAILED, closed_at=clock.now()))
    clock.advance(timedelta(seconds=6))
    await resend()
    assert ([asked.command_id for asked in orders.obeyed], runs.commands) == ([command_id], [])


async def test_a_command_rests_when_its_run_has_answered_and_not_when_postgres_alone_knows_the_outcome(
    resend: Resend, rows: Rows, clock: MovableClock, runs: FakeRuns
) -> None:
    command_id = rows.command(rows.order(), outcome={"done": True, "code": "done"})
    clock.advance(timedelta(seconds=6))
    assert await resend() == 1
    assert await resend() == 0
    assert [asked.command_id for asked in runs.commands] == [command_id]


def test_only_old_keys_are_forgotten_when_they_are_pruned(sweeps: SweepStore, rows: Rows, clock: MovableClock) -> None:
    for key, age in (("old", timedelta(days=8)), ("young", timedelta(days=6))):
        at = clock.now() - age
        rows.add(IdempotencyKey, caller="c", key=key, fingerprint="f", busy_until=at, created_at=at)
    assert sweeps.prune_keys() == 1
    assert [row.key for row in rows.all(IdempotencyKey)] == ["young"]


@pytest.mark.parametrize("evening", [datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)])
def test_k79_hourly_work_is_due_every_hour_when_the_clocks_are_changed(
    database: Database, monkeypatch: pytest.MonkeyPatch, evening: datetime
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")  # where that night an hour is missing, or comes twice
    time.tzset()
    clock = MovableClock()
    clock.advance(evening - clock.now())
    sweeps, due = SweepStore(database, clock), 0
    for _ in range(12):
        for name in sweeps.due(["hourly"]):
            sweeps.done(name, {"hourly": timedelta(hours=1)}, ok=True)
            due += 1
        clock.advance(timedelta(minutes=30, seconds=1))
    monkeypatch.undo()
    time.tzset()
    assert due == 6


def test_work_is_due_again_when_its_period_is_over(sweeps: SweepStore, rows: Rows, clock: MovableClock) -> None:
    periods = {"a": timedelta(seconds=2), "b": timedelta(hours=1)}
    assert sorted(sweeps.due(["a", "b"])) == ["a", "b"]
    sweeps.done("a", periods, ok=True)
    sweeps.done("b", periods, ok=False)
    assert sweeps.due(["a", "b"]) == []
    clock.advance(timedelta(seconds=3))
    assert sweeps.due(["a", "b"]) == ["a"]
    assert {row.name: row.last_ok_at is not None for row in rows.all(Due)} == {"a": True, "b": False}
