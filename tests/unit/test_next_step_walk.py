"""Whatever people, carriers and timers do, and in whatever order effects end: what `next_step` never does.

And at rest the money is right to the cent: what is due is decided by the real `Book`, what was moved is a bank's that
keeps its own ledger.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import pytest

from models.errors import MoneyBusyError
from models.messages.commands import Asked, Cancel
from models.messages.facts import CHECKOUT, ORDER, PAYMENT, UNCONFIRMED, Facts, OrderFacts, Stuck
from models.shipment import (
    MONEY,
    Closed,
    Do,
    Effect,
    Step,
    Wait,
    begin,
    finish,
    is_at_rest,
    lapse,
    learn,
    next_deadline,
    next_step,
    overdue,
)
from models.words import CommandKind, Stage, Verdict
from tests.unit.order_model import EXPIRES_AT, OrderModel

SEED = os.environ.get("SHELFWAY_SEED", "0")
WALKS = 40_000 if os.environ.get("SHELFWAY_DEEP") else 10_000
PARTS = 4  # so that two processes share them
STEPS = 90
BOUND = 60  # effects that may follow, once nothing happens any more, before all is at rest
ABOUT_ORDER = (CommandKind.CANCEL, CommandKind.HOLD, CommandKind.RELEASE, CommandKind.RETRY)
FITTING = {
    Stage.OFFERED: (CommandKind.ACCEPT, CommandKind.ACCEPT, CommandKind.REJECT),
    Stage.ACCEPTED: (CommandKind.PACK,),
    Stage.CAPTURED: (CommandKind.HAND_OVER, CommandKind.HAND_OVER, CommandKind.TAKE_OUT),
}
UNLUCKY = (0.05, 0.2, 0.5)


@dataclass
class Walk:
    """The workflow's attendants and alarm, played in any order against an order in memory."""

    chance: Random
    facts: Facts = field(default_factory=lambda: Facts(known=OrderFacts(expires_at=EXPIRES_AT)))
    in_flight: list[tuple[str, Do]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    story: list[str] = field(default_factory=list)
    said: int = 0
    reached: set[str] = field(default_factory=set)
    rung: set[tuple[str, datetime]] = field(default_factory=set)
    steps: dict[str, Step] = field(default_factory=dict)
    steps_of: Facts | None = None

    def __post_init__(self) -> None:
        unlucky = self.chance.choice(UNLUCKY)  # each walk its own, so that some have much of it
        luck: Callable[[str], bool] = lambda _: self.chance.random() < unlucky  # noqa: E731
        self.order = OrderModel(luck, multicapture=self.chance.random() < 0.5)

    @property
    def keys(self) -> list[str]:
        """As the workflow attends: checkout and order from the start, the rest once there is a verdict."""
        known = self.facts.known
        started = [PAYMENT, *(s.id for s in known.shipments)] if known.verdict else []
        return [ORDER, CHECKOUT, *started]

    def step(self, key: str) -> Step:
        """`next_step`, worked out once for the facts as they are."""
        if self.steps_of is not self.facts:
            self.steps_of, self.steps = self.facts, {}
        if key not in self.steps:
            self.steps[key] = next_step(self.facts, key)
        return self.steps[key]

    def due(self) -> list[tuple[str, Do]]:
        busy = {key for key, _ in self.in_flight}
        steps = ((key, self.step(key)) for key in self.keys if key not in busy)
        return [(key, step) for key, step in steps if isinstance(step, Do)]

    # What happens

    def go(self) -> None:
        happenings = (self.start, self.end, self.ask, self.hear, self.ring, self.fail)
        for happens in self.chance.choices(happenings, weights=(40, 36, 12, 6, 4, 2), k=STEPS):
            before = self.facts
            happens()
            if self.facts is not before:
                self.check()

    def start(self) -> None:
        if due := self.due():
            key, step = self.chance.choice(due)
            self.check_order_of_undoing(key, step)
            self.check_deadline_is_over(key, step)
            self.check_nothing_is_left_open(step)
            with suppress(MoneyBusyError):
                self.order.begin(key, step)
            self.story.append(f"start {key} {step.effect}")
            self.facts = begin(self.facts, key, step)
            self.in_flight.append((key, step))

    def end(self) -> None:
        if self.in_flight:
            key, step = self.in_flight.pop(self.chance.randrange(len(self.in_flight)))
            self.story.append(f"end {key} {step.effect}")
            revision = self.facts.known.revision
            try:
                known = self.order.carry_out(key, step)
            except MoneyBusyError:
                self.get_stuck(key, step)
                return
            self.facts = learn(finish(self.facts, key, step), known)
            self.reached |= {step.effect.value, *(s.stage.value for s in self.order.shipments)}
            if step.asked and step.asked.kind is CommandKind.RETRY:
                self.facts = self.facts.but(stuck=())
            if known.revision == revision and self.step(key) == step:
                self.get_stuck(key, step)

    def fail(self) -> None:
        """A vendor, or Postgres, will never do it as it stands; so it was not done."""
        if self.in_flight:
            key, step = self.in_flight.pop(self.chance.randrange(len(self.in_flight)))
            if self.order.may_fail(key, step):
                self.get_stuck(key, step)
            else:
                self.in_flight.append((key, step))

    def get_stuck(self, key: str, step: Do) -> None:
        self.story.append(f"stuck {key} {step.effect}")
        doing = tuple(d for d in self.facts.doing if d[0] != key)
        stuck = Stuck(key=key, effect=step.effect, until=self.order.later())
        self.facts = self.facts.but(doing=doing, stuck=(*self.facts.stuck, stuck))

    def ring(self) -> None:
        if due := next_deadline(self.facts, self.keys):
            late = overdue(self.facts, self.keys, due.until)
            assert late, "an alarm that ends nothing"
            self.story.append(f"alarm {[key for key, _ in late]}")
            self.order.now = max(self.order.now, due.until)
            for key, until in late:
                self.rung.add((key, until))
                self.facts = lapse(self.facts, key, until)

    def ask(self) -> None:
        shipments = [(kind, s.id) for s in self.facts.known.shipments for kind in FITTING.get(s.stage, ())]
        kind, about = self.chance.choice(shipments) if shipments else (CommandKind.RETRY, None)
        if self.chance.random() < 0.2:
            kind, about = self.chance.choice(ABOUT_ORDER), None
        self.said += 1
        unit = self.chance.choice(self.order.units).id
        some = Cancel(units=(unit,)) if kind is CommandKind.CANCEL and self.chance.random() < 0.6 else None
        self.story.append(f"ask {kind} {about or ''}{(some and unit) or ''}")
        asked = Asked(command_id=f"cmd_{self.said}", kind=kind, shipment_id=about, cancel=some)
        self.facts = self.facts.but(asked=(*self.facts.asked, asked))

    def hear(self) -> None:
        self.said += 1
        sensible = self.chance.random() < 0.8
        if sensible and self.order.order.delivered_at:
            self.story.append("return")
            self.order.send_back()
        news = {"arrived": (*self.facts.arrived, f"evt_{self.said}")} if sensible else {"senseless": ("cancel",)}
        self.facts = self.facts.but(**news)

    # What never happens

    def check_order_of_undoing(self, key: str, step: Do) -> None:
        book = self.order.book
        if step.effect in (Effect.VOID, Effect.REFUND):
            asked = {about for about, other in self.in_flight if other.effect is Effect.BUY_LABEL}
            live = [s for s in book.shipments if s.leaving and (book.live_label(s) or s.id in asked)]
            assert not live, "money back while a label lives, or is asked for"
        if step.effect is Effect.UNDO:
            mine = book.units_of(book.shipment(key))
            assert not book.live_label(book.shipment(key)), "stock back while its label lives"
            assert not book.to_void(), "stock back before the money"
            assert all(u.refunded_by for u in mine if u.captured_by and u.amount), "stock back before the money"
            assert not book.in_doubt, "stock back before it is known where the money is"

    def check_deadline_is_over(self, key: str, step: Do) -> None:
        known = self.facts.known
        ends = {Effect.LAPSE: step.deadline, Effect.KEEP_ALIVE: known.payment.deadline, Effect.EXPIRE: known.expires_at}
        until = ends.get(step.effect) if step.effect is not Effect.CLOSE else known.window_ends
        assert until is None or (key, until) in self.rung, f"{step.effect} before {until}"

    def check_nothing_is_left_open(self, step: Do) -> None:
        if step.effect is Effect.CLOSE:
            assert not self.in_flight, f"closed while {self.in_flight} is in flight"
            assert not self.order.book.in_doubt, "closed while its authorization is in doubt"
            assert not self.order.bank.held, "closed while money is held"

    def check(self) -> None:
        assert sum(step.effect in MONEY for _, step in self.in_flight) <= 1, "two effects of money at a time"
        pending = self.step(ORDER) if self.facts.known.verdict in UNCONFIRMED else None
        has_timer = not isinstance(pending, Wait) or pending.until == EXPIRES_AT or (ORDER, EXPIRES_AT) in self.rung
        assert has_timer, "a pending order without its timer"
        for stuck in self.facts.stuck:
            step = self.step(stuck.key)
            again = isinstance(step, Do) and step.effect == stuck.effect
            assert not again or (step.asked and step.asked.kind is CommandKind.RETRY), f"{stuck} is tried again"
        final = {key for key in self.keys if key not in (ORDER, PAYMENT)}  # those hear of what happens later
        steps = {key: self.step(key) for key in final}
        assert all(isinstance(steps[key], Closed) for key in self.closed), "what was closed is open again"
        self.closed |= {key for key, step in steps.items() if isinstance(step, Closed)}

    def check_that_it_comes_to_rest(self) -> None:
        """Left to itself; and whoever waits then is woken by a timer, or by one who is."""
        self.go_to_rest()
        self.facts = self.facts.but(stuck=())
        self.go_to_rest()
        assert not self.facts.stuck, f"{self.facts.stuck}: no retry helps"
        self.order.purse.check_conserved()
        steps = {key: self.step(key) for key in self.keys}
        waits = {key: step.until for key, step in steps.items() if isinstance(step, Wait)}
        assert not waits or any(waits.values()) or self.order.returns, f"{list(waits)} wait for ever"
        for shipment in self.facts.known.shipments:
            unconfirmed = shipment.stage is Stage.PLANNED and waits.get(ORDER)
            ends = shipment.leaving or unconfirmed or waits.get(shipment.id, True)
            assert ends, f"{shipment.id} at {shipment.stage} waits without an end"
        if isinstance(steps[ORDER], Closed):
            assert not self.order.bank.held, "closed while money is held"
            assert not waits, f"over, and {list(waits)} still wait"

    def check_that_it_expires(self) -> None:
        """Not confirmed, with nobody acting any more: its timers alone bring it to its end."""
        for _ in range(BOUND):
            if self.facts.known.closed or self.facts.known.verdict not in {*UNCONFIRMED, Verdict.EXPIRED}:
                return
            self.ring()
            self.go_to_rest()
        raise AssertionError("it neither expires nor ends")

    def go_to_rest(self) -> None:
        for _ in range(BOUND):
            while self.in_flight:
                self.end()
            if not self.due():
                break
            self.start()
        assert is_at_rest(self.facts, self.keys), f"{self.due()} again and again"


@pytest.mark.parametrize("part", range(PARTS))
def test_order_keeps_its_rules_and_its_money_whatever_happens(part: int) -> None:
    for number in range(part, WALKS, PARTS):
        walk = Walk(Random(f"{SEED}:{number}"))
        try:
            walk.go()
            walk.check_that_it_comes_to_rest()
            walk.check_that_it_expires()
        except AssertionError as error:
            raise AssertionError(f"{error}; walk {number} of seed {SEED}: {walk.story}; {walk.facts}") from error


def test_walks_reach_every_effect_and_every_stage() -> None:
    walks = [Walk(Random(seed)) for seed in range(300)]
    for walk in walks:
        walk.go()
    reached = set[str]().union(*(walk.reached for walk in walks))
    assert {word.value for word in (*Effect, *Stage)} - reached == set()
