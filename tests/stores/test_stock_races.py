"""Many at once: never oversold (P1), never deadlocked (P16). SHELFWAY_DEEP=1 runs every seed."""

import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from cli.postgres import Urls
from models.db import Database
from models.stock import CartItem, Reserved, UnitWant
from models.stores.sourcing import Placement, SourcingStore, UnitDemand
from models.words import Mark
from tests.stores.stockroom import Stockroom

pytestmark = pytest.mark.alone

SEEDS = range(20) if os.environ.get("SHELFWAY_DEEP") else [int(os.environ.get("SHELFWAY_SEED", "7"))]


@pytest.fixture
def room(urls: Urls) -> Iterator[Stockroom]:
    """With a connection for every thread, and patience: what is tested is who gets the stock, not how soon."""
    database = Database(urls.app, pool_size=32, lock_timeout=60_000, statement_timeout=60_000)
    yield Stockroom(database)
    database.dispose()


@pytest.fixture
def errors(room: Stockroom) -> Counter[str]:
    """SQLSTATEs of everything that went wrong, retried or not."""
    seen: Counter[str] = Counter()
    event.listen(
        room.database.engine, "handle_error", lambda context: seen.update([context.original_exception.sqlstate])
    )
    return seen


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
def test_exactly_100_are_sold_when_2000_buyers_come_at_once(room: Stockroom, errors: Counter[str], seed: int) -> None:
    room.skus("HOT", "COLD")
    for place, quantity in (("loc_1", 60), ("loc_2", 40)):
        room.location(place)
        room.receive("HOT", place, quantity)
        room.receive("COLD", place, 2000)
    room.order("ord_any")
    sourcing = SourcingStore(room.stock)
    dice = random.Random(seed)
    ways = dice.choices(["web", "direct", "pair", "cart"], weights=[40, 30, 15, 15], k=2000)

    def by_web(buyer: str) -> int:
        placed = room.run(lambda session: sourcing.place(
            session, holder=buyer, demand=[UnitDemand(f"{buyer}/0", "line_1", "HOT")], country="US", destination=None,
            expires_at=room.now + timedelta(minutes=15), now=room.now, cause="checkout", order_id="ord_any",
        ))  # fmt: skip
        return int(isinstance(placed, Placement))

    def direct(buyer: str) -> int:
        return int(isinstance(room.reserve(buyer, ("COLD", "loc_1"), ("HOT", "loc_1")), Reserved))

    def pair(buyer: str) -> int:
        return 2 * int(isinstance(room.reserve(buyer, ("HOT", "loc_2"), ("HOT", "loc_1")), Reserved))

    def cart(buyer: str) -> int:
        """Held as a cart, then bought."""
        soon = room.now + timedelta(minutes=15)
        items = [CartItem("HOT", "loc_2", 1)]
        held = room.run(
            lambda session: room.stock.hold_cart(session, f"rsv_{buyer}", "c", items, expires_at=soon, now=room.now)
        )
        if not isinstance(held, Reserved):
            return 0
        wants = [UnitWant(f"{buyer}/0", "HOT", "loc_2")]

        def buy(session) -> object:
            assert room.stock.lend_cart(session, f"rsv_{buyer}", buyer, room.now)
            return room.stock.reserve(session, buyer, wants, expires_at=soon, now=room.now, cart=f"rsv_{buyer}")

        assert isinstance(room.run(buy), Reserved)
        return 1

    buy = {"web": by_web, "direct": direct, "pair": pair, "cart": cart}
    with ThreadPoolExecutor(32) as crowd:
        sold = list(crowd.map(lambda each: buy[each[1]](f"buyer_{each[0]}"), enumerate(ways)))
    held = room.run(lambda session: session.scalar(
        text("SELECT sum(quantity) FROM reservations WHERE state = 'active' AND sku = 'HOT'")
    ))  # fmt: skip
    assert (sum(sold), held, room.drift(), errors) == (100, 100, [], Counter())


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_deadlocks_when_16_threads_take_4_random_skus_each(
    room: Stockroom, errors: Counter[str], seed: int
) -> None:
    skus = [f"S{number}" for number in range(8)]
    room.skus(*skus)
    for place in ("loc_1", "loc_2"):
        room.location(place)
        for sku in skus:
            room.receive(sku, place, 40)

    def shop(thread: int) -> None:
        dice = random.Random(seed * 1000 + thread)
        for turn in range(12):
            holder = f"ord_{thread}_{turn}"
            basket = [(dice.choice(skus), dice.choice(["loc_1", "loc_2"])) for _ in range(4)]
            held = room.reserve(holder, *basket)
            moved = room.reserve(holder, *[(sku, "loc_1") for sku, _ in basket])  # every unit moves
            if not isinstance(held, Reserved) and not isinstance(moved, Reserved):
                continue
            if dice.random() < 0.5:
                room.release(holder)
            else:
                assert room.confirm(holder)
                room.consume(holder, *[f"{holder}/{number}" for number in range(4)])

    with ThreadPoolExecutor(16) as crowd:
        list(crowd.map(shop, range(16)))
    assert (errors, room.drift()) == (Counter(), [])


@pytest.mark.parametrize("seed", SEEDS)
def test_picked_pieces_leave_and_nothing_drifts_when_counts_come_between_buyers(
    room: Stockroom, errors: Counter[str], seed: int
) -> None:
    skus = [f"S{number}" for number in range(4)]
    room.skus(*skus)
    for place in ("loc_1", "loc_2"):
        room.location(place)
        for sku in skus:
            room.receive(sku, place, 20)

    def buy(holder: str, dice: random.Random) -> None:
        basket = [(dice.choice(skus), dice.choice(["loc_1", "loc_2"])) for _ in range(3)]
        units = [f"{holder}/{number}" for number in range(3)]
        if not isinstance(room.reserve(holder, *basket), Reserved) or not room.confirm(holder):
            return
        if room.run(lambda session: room.stock.mark(session, units, Mark.PICKED, room.now)) is None:
            assert room.consume(holder, *units).units == tuple(units)

    def count(operation: str, dice: random.Random) -> None:
        pieces = {sku: dice.randint(0, 20) for sku in dice.sample(skus, 3)}
        place = dice.choice(["loc_1", "loc_2"])
        room.run(lambda session: room.stock.count(session, place, pieces, operation=operation, actor="x", now=room.now))

    def act(thread: int) -> None:
        dice = random.Random(seed * 1000 + thread)
        for turn in range(12):
            (count if thread % 4 == 0 else buy)(f"ord_{thread}_{turn}", dice)

    with ThreadPoolExecutor(16) as crowd:
        list(crowd.map(act, range(16)))
    assert (errors, room.drift()) == (Counter(), [])
