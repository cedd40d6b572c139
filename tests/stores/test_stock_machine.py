"""Any order of reserve, move, confirm, release, pick, consume, receive, adjust, count, loss, carts and passing time,
against a model (P2).

The model knows units and quantities by stock row, and that an expired hold holds nothing. Bundles reach the store
exploded, so repeated and shared SKUs are what it draws. SHELFWAY_DEEP=1 runs 1,000 sequences.
"""

import os
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, create_engine, text

from cli.postgres import Urls
from models.db import Database
from models.shelf import ShelfChange
from models.stock import CartItem, Levels, Refused, Reserved, Short
from models.words import Mark, MovementReason
from tests.stores.stockroom import Stockroom

DEEP = bool(os.environ.get("SHELFWAY_DEEP"))
SEQUENCES = {"1": 1000, "slice": 100}.get(os.environ.get("SHELFWAY_DEEP", ""), 20)
KEYS = [("A", "loc_1"), ("A", "loc_2"), ("B", "loc_1")]
ORDERS = ["ord_1", "ord_2"]
CARTS = ["rsv_1", "rsv_2"]
BUNDLE = [("A", "loc_1"), ("A", "loc_1"), ("B", "loc_1")]
baskets = st.one_of(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4), st.just(BUNDLE), st.just(BUNDLE * 2))


@dataclass(frozen=True)
class Held:
    holder: str
    unit: str
    key: tuple[str, str]
    quantity: int
    expires_at: datetime | None
    picked: bool = False


@dataclass(frozen=True)
class Cart:
    expires_at: datetime
    lent_to: str | None = None
    lent: tuple[Held, ...] = ()


class StockMachine(RuleBasedStateMachine):
    room: Stockroom
    owner: Engine

    def __init__(self) -> None:
        super().__init__()
        with self.owner.begin() as connection:
            connection.execute(text("TRUNCATE reservations, movements, lots, stock, cart_holds CASCADE"))
        self.stock = self.room.stock
        self.on_hand: Counter[tuple[str, str]] = Counter()
        self.held: dict[str, Held] = {}
        self.carts: dict[str, Cart] = {}
        self.numbers = count()

    # What the model says

    def free(self, key: tuple[str, str], *, without: tuple[str, ...] = ()) -> int:
        return self.on_hand[key] - sum(held.quantity for held in self.live(key) if held.unit not in without)

    def live(self, key: tuple[str, str]) -> list[Held]:
        return [held for held in self.held.values() if held.key == key and not self.expired(held.unit)]

    def fits(self, wanted: Counter[tuple[str, str]], *, without: tuple[str, ...] = ()) -> bool:
        return all(quantity <= self.free(key, without=without) for key, quantity in wanted.items())

    def of(self, holder: str) -> tuple[str, ...]:
        return tuple(unit for unit, held in self.held.items() if held.holder == holder)

    # What can happen

    @initialize(first=st.integers(1, 6), second=st.integers(0, 4))
    def some_stock(self, first: int, second: int) -> None:
        self.receive(KEYS[0], first, "")
        self.receive(KEYS[2], second + 1, "")

    @rule(key=st.sampled_from(KEYS), quantity=st.integers(1, 3), lot=st.sampled_from(["", "L1", "L2"]))
    def receive(self, key: tuple[str, str], quantity: int, lot: str) -> None:
        date = None if not lot else datetime(2028, 1, 1 if lot == "L1" else 2).date()  # noqa: DTZ001
        self.room.receive(*key, quantity, lot=lot, expires_on=date)
        self.on_hand[key] += quantity

    @rule(key=st.sampled_from(KEYS), delta=st.sampled_from([-3, -2, -1, 1]))
    def adjust(self, key: tuple[str, str], delta: int) -> None:
        done = self.room.run(
            lambda session: self.stock.adjust(
                session, *key, delta, reason=MovementReason.ADJUSTMENT, operation=f"adjust:{next(self.numbers)}",
                actor="x", now=self.room.now,
            )
        )  # fmt: skip
        fits = self.free(key) + delta >= 0
        assert isinstance(done, Levels if fits else Refused)
        if fits:
            self.on_hand[key] += delta

    @rule(order=st.sampled_from(ORDERS), basket=baskets, minutes=st.sampled_from([None, 5, 15]))
    def reserve(self, order: str, basket: list[tuple[str, str]], minutes: int | None) -> None:
        units = [f"{order}/{next(self.numbers)}" for _ in basket]
        fits = self.fits(Counter(basket))
        held = self.room.reserve(order, *basket, units=units, minutes=minutes)
        assert isinstance(held, Reserved if fits else Short)
        if fits:
            self.hold(order, units, basket, minutes)

    @rule(order=st.sampled_from(ORDERS), key=st.sampled_from(KEYS), minutes=st.sampled_from([None, 5]))
    def move(self, order: str, key: tuple[str, str], minutes: int | None) -> None:
        units = [unit for unit in self.of(order) if self.held[unit].key[0] == key[0]]
        if not units:
            return
        fits = self.fits(Counter({key: len(units)}), without=tuple(units))
        held = self.room.reserve(order, *[key] * len(units), units=units, minutes=minutes)
        assert isinstance(held, Reserved if fits else Short)
        if fits:
            self.hold(order, units, [key] * len(units), minutes)

    def hold(self, holder: str, units: list[str], keys: list[tuple[str, str]], minutes: int | None) -> None:
        until = None if minutes is None else self.room.now + timedelta(minutes=minutes)
        for unit, key in zip(units, keys, strict=True):
            self.held[unit] = Held(holder, unit, key, 1, until)

    @rule(order=st.sampled_from(ORDERS))
    def confirm(self, order: str) -> None:
        units = self.of(order)
        wanted = Counter(self.held[unit].key for unit in units)
        fits = bool(units) and self.fits(wanted, without=units)
        assert self.room.confirm(order) is fits
        for unit in units:
            if fits:
                self.held[unit] = replace(self.held[unit], expires_at=None)
            else:
                del self.held[unit]

    @rule(order=st.sampled_from(ORDERS), some=st.integers(0, 7))
    def release(self, order: str, some: int) -> None:
        units = [unit for number, unit in enumerate(self.of(order)) if some & (1 << number)]
        let_go = self.room.release(order, *units) if units else ()
        live = {unit for unit in units if not self.expired(unit)}
        assert live <= set(let_go) <= set(units)
        for unit in units:
            del self.held[unit]

    @rule(order=st.sampled_from(ORDERS))
    def release_all(self, order: str) -> None:
        self.room.release(order)
        assert self.room.release(order) == ()
        for unit in self.of(order):
            del self.held[unit]

    @rule(order=st.sampled_from(ORDERS), most=st.integers(1, 3))
    def consume(self, order: str, most: int) -> None:
        units = [unit for unit in self.of(order) if self.held[unit].expires_at is None][:most]
        operation = f"hand_over:{next(self.numbers)}"
        for expected in (tuple(units), ()):
            assert self.room.consume(order, *units, operation=operation).units == expected
        for unit in units:
            self.on_hand[self.held.pop(unit).key] -= 1

    # Whatever was promised

    @rule(order=st.sampled_from(ORDERS), most=st.integers(1, 2))
    def pick(self, order: str, most: int) -> None:
        units = [unit for unit in self.of(order) if self.held[unit].expires_at is None][:most]
        assert self.room.run(lambda session: self.stock.mark(session, units, Mark.PICKED, self.room.now)) is None
        for unit in units:
            self.held[unit] = replace(self.held[unit], picked=True)

    @rule(key=st.sampled_from(KEYS), pieces=st.integers(0, 5))
    def count(self, key: tuple[str, str], pieces: int) -> None:
        operation = f"count:{next(self.numbers)}"
        (change,) = self.room.run(
            lambda session: self.stock.count(
                session, key[1], {key[0]: pieces}, operation=operation, actor="x", now=self.room.now
            )
        )
        assert (change.moved, change.found) == (pieces + self.picked(key) - self.on_hand[key], 0)
        self.moved(change)

    @rule(key=st.sampled_from(KEYS), pieces=st.integers(1, 4), reason=st.sampled_from(["pos_sale", "damage"]))
    def lose(self, key: tuple[str, str], pieces: int, reason: str) -> None:
        self.room.later(seconds=1)  # what a count has seen moves nothing
        operation = f"gone:{next(self.numbers)}"
        (change,) = self.room.run(
            lambda session: self.stock.lose(
                session, key[1], {key[0]: pieces}, reason=MovementReason(reason), operation=operation, actor="x",
                at=self.room.now, now=self.room.now,
            )
        )  # fmt: skip
        there = min(pieces, self.on_hand[key] - self.picked(key))
        assert (change.moved, change.found) == (-there, pieces - there)
        self.moved(change)

    def picked(self, key: tuple[str, str]) -> int:
        return sum(held.quantity for held in self.live(key) if held.picked)

    def moved(self, change: ShelfChange) -> None:
        """Just so many lose as are held and not there any more; none of them had been picked."""
        self.on_hand[change.key] += change.moved
        assert sum(loser.quantity for loser in change.losers) == max(0, -self.free(change.key))
        for loser in change.losers:
            unit = loser.unit_id or loser.holder
            held = self.held[unit]
            assert held in self.live(change.key)
            assert not held.picked
            if loser.quantity < held.quantity:
                self.held[unit] = replace(held, quantity=held.quantity - loser.quantity)
            elif held.expires_at and loser.unit_id:
                self.held[unit] = replace(held, expires_at=self.room.now)  # confirming it looks once more
            else:
                del self.held[unit]

    @rule(minutes=st.sampled_from([1, 5, 20]), sweep=st.booleans())
    def time_passes(self, minutes: int, sweep: bool) -> None:
        self.room.later(minutes=minutes)
        if sweep:
            self.room.run(lambda session: self.stock.sweep_expired(session, self.room.now))

    # Carts

    @rule(cart=st.sampled_from(CARTS), key=st.sampled_from(KEYS), quantity=st.integers(1, 3))
    def hold_cart(self, cart: str, key: tuple[str, str], quantity: int) -> None:
        if cart in self.carts:
            return
        until = self.room.now + timedelta(minutes=10)
        fits = self.fits(Counter({key: quantity}))
        held = self.room.run(
            lambda session: self.stock.hold_cart(
                session, cart, "c", [CartItem(*key, quantity)], expires_at=until, now=self.room.now
            )
        )
        assert isinstance(held, Reserved if fits else Short)
        if fits:
            self.carts[cart] = Cart(until)
            self.held[cart] = Held(cart, cart, key, quantity, until)

    @rule(cart=st.sampled_from(CARTS), order=st.sampled_from(ORDERS), extra=st.sampled_from(KEYS))
    def adopt(self, cart: str, order: str, extra: tuple[str, str]) -> None:
        """The order takes the cart's units and one more."""
        mine = self.carts.get(cart)
        lendable = mine is not None and mine.expires_at > self.room.now and mine.lent_to in {None, order}
        assert self.room.run(lambda session: self.stock.lend_cart(session, cart, order, self.room.now)) is lendable
        if not mine or not lendable:
            return
        lent = self.held.get(cart)  # none: this order has had it, or it came back to a shelf without it
        basket = ([lent.key] * lent.quantity if lent else []) + [extra]
        units = [f"{order}/{next(self.numbers)}" for _ in basket]
        fits = self.fits(Counter(basket), without=(cart,))
        held = self.room.reserve(order, *basket, units=units, minutes=15, cart=cart)
        assert isinstance(held, Reserved if fits else Short)
        self.carts[cart] = replace(mine, lent_to=order)
        if fits:
            self.carts[cart] = Cart(mine.expires_at, order, (self.held.pop(cart),) if lent else mine.lent)
            self.hold(order, units, basket, 15)

    @rule(cart=st.sampled_from(CARTS), order=st.sampled_from(ORDERS))
    def give_back(self, cart: str, order: str) -> None:
        back = self.room.run(lambda session: self.stock.return_cart(session, cart, order, self.room.now))
        for unit in self.of(order):
            del self.held[unit]
        mine = self.carts.get(cart)
        if mine is None or mine.lent_to != order:
            assert not back
            return
        in_time = mine.expires_at > self.room.now
        fits = all(held.quantity <= self.free(held.key) for held in mine.lent)
        assert back is (in_time and fits)
        self.carts[cart] = Cart(mine.expires_at)
        if back:
            self.held |= {held.unit: held for held in mine.lent}

    def expired(self, unit: str) -> bool:
        expires_at = self.held[unit].expires_at
        return expires_at is not None and expires_at <= self.room.now

    # What always holds

    @invariant()
    def counters_are_the_sums_of_their_rows(self) -> None:
        assert self.room.drift() == []

    @invariant()
    def the_store_and_the_model_agree(self) -> None:
        found = self.room.run(lambda session: self.stock.availability(session, ["A", "B"], self.room.now))
        assert found == {key: max(0, self.free(key)) for key in found}
        assert all(key in found for key, quantity in self.on_hand.items() if quantity)
        for order in ORDERS:
            held = self.room.run(lambda session, order=order: self.stock.reserved_units(session, order))
            there = {unit.unit_id: (unit.sku, unit.location_id) for unit in held}
            live = {unit for unit in self.of(order) if not self.expired(unit)}
            assert live <= there.keys() <= set(self.of(order))
            assert all(self.held[unit].key == key for unit, key in there.items())


@pytest.mark.timeout(3000 if DEEP else 900)  # a failure takes five minutes to shrink
def test_no_sequence_oversells_or_loses_a_unit(urls: Urls) -> None:
    database = Database(urls.app)
    room = Stockroom(database)
    room.skus("A", "B")
    room.location("loc_1")
    room.location("loc_2")
    StockMachine.room, StockMachine.owner = room, create_engine(urls.owner)
    examples = settings(
        max_examples=SEQUENCES,
        stateful_step_count=30 if DEEP else 25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(StockMachine, settings=examples)
    finally:
        StockMachine.owner.dispose()
        database.dispose()
