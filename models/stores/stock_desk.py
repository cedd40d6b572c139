"""What people and shops do to stock by themselves: change a row, book a receipt, hold a cart.

A method is a transaction, and takes the caller's key in it, so that a request sent twice has one effect. The rules and
the locks are `StockStore`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.carts import spread
from models.clock import Clock
from models.db import Database
from models.errors import ConflictError, InvalidError, NotFoundError
from models.mint import mint
from models.pricing import MAX_UNITS
from models.stock import CartItem, Receipt, Refused, Short, Shortage
from models.stores.requests import Recalled, RequestKey, RequestStore
from models.stores.shelf import follow
from models.stores.stock import StockStore
from models.tables.catalogue import BundleComponent, Variant
from models.tables.stock import CartHold, Location, Lot, Movement, Reservation, Stock
from models.words import MovementReason, ReservationState

_TRIES = 3


@dataclass(frozen=True, slots=True)
class StockChange:
    """Pieces more or fewer (or the new on hand), and levels; None leaves as it is."""

    adjust_by: int | None = None
    on_hand: int | None = None
    reason: MovementReason = MovementReason.ADJUSTMENT
    lot: str | None = None
    safety_stock: int | None = None
    reorder_point: int | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """Pieces of one lot that came in."""

    sku: str
    quantity: int
    lot: str = ""
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """Pieces to hold for a cart; no location means anywhere in the cart's country."""

    sku: str
    quantity: int
    location_id: str | None = None


@dataclass(frozen=True, slots=True)
class HoldView:
    """A cart's hold and what it holds now."""

    hold: CartHold
    items: tuple[CartItem, ...]


@dataclass(frozen=True, slots=True)
class ReceiptView:
    id: str
    location_id: str
    received_at: datetime
    items: tuple[Arrival, ...]


class OutOfStockError(ConflictError):
    """Nothing was held; every shortage is named."""

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        super().__init__("Not all of it is in stock: see lines.", code="out_of_stock")
        self.shortages = tuple(shortages)


class StockDesk:
    def __init__(self, database: Database, clock: Clock, requests: RequestStore, stock: StockStore) -> None:
        self._db = database
        self._clock = clock
        self._requests = requests
        self._stock = stock

    def change(
        self, sku: str, location_id: str, change: StockChange, *, revision: int, key: RequestKey, actor: str
    ) -> Recalled | None:
        """Change one stock row, or say what this key did before.

        StaleError: `revision` is not the row's; ConflictError `below_reserved`: those pieces are promised, and not
        reported as damaged.
        """
        operation = mint("adj")

        def work(session: Session, now: datetime) -> None:
            row = session.get(Stock, (sku, location_id))
            if row is None:
                raise NotFoundError("No stock of this SKU at this location.")
            delta = (change.adjust_by if change.on_hand is None else change.on_hand - row.on_hand) or 0
            expected: int | None = revision
            if delta < 0 and change.reason is MovementReason.DAMAGE:  # broken is broken, promised or not
                self._stock.set_levels(session, sku, location_id, now=now, expected_revision=revision)
                lost = self._stock.lose(
                    session, location_id, {sku: -delta}, reason=change.reason, operation=operation, actor=actor, at=now,
                    now=now, lot_code=change.lot,
                )  # fmt: skip
                follow(session, lost, operation, now)
                expected = None
            elif delta:
                done = self._stock.adjust(
                    session, sku, location_id, delta, reason=change.reason, operation=operation, actor=actor, now=now,
                    expected_revision=revision, lot_code=change.lot,
                )  # fmt: skip
                if isinstance(done, Refused):
                    raise ConflictError(done.message, code=done.code)
                expected = None
            self._stock.set_levels(
                session, sku, location_id, now=now, safety_stock=change.safety_stock,
                reorder_point=change.reorder_point, expected_revision=expected,
            )  # fmt: skip

        return self._requests.once(key, f"{sku}@{location_id}", work)

    def receive(
        self, location_id: str, arrivals: Sequence[Arrival], *, key: RequestKey, actor: str
    ) -> Recalled | ReceiptView:
        """Book what came in, all of it or nothing. InvalidError names the item whose SKU cannot be received."""
        receipt_id = mint("rcpt")

        def work(session: Session, now: datetime) -> None:
            check_stocked(session, location_id, [arrival.sku for arrival in arrivals])
            receipts = [
                Receipt(each.sku, location_id, each.quantity, receipt_id, each.lot, each.expires_on)
                for each in arrivals
            ]
            self._stock.receive_many(session, receipts, actor=actor, now=now)

        return self._requests.once(key, receipt_id, work) or self.receipt(receipt_id)

    def receipt(self, receipt_id: str) -> ReceiptView:
        """NotFoundError when there is none."""
        rows = self._db.transaction(
            lambda session: session.execute(
                select(Movement, Lot)
                .join(Lot, Lot.id == Movement.lot_id)
                .where(Movement.operation == receipt_id, Movement.reason == MovementReason.RECEIPT)
                .order_by(Movement.id)
            ).all()
        )
        if not rows:
            raise NotFoundError("No such receipt.")
        first = rows[0][0]
        items = tuple(Arrival(moved.sku, moved.quantity, lot.code, lot.expires_on) for moved, lot in rows)
        return ReceiptView(receipt_id, first.location_id, first.recorded_at, items)

    def hold(
        self, wishes: Sequence[Wish], *, country: str | None, lasts: timedelta, key: RequestKey, caller: str
    ) -> Recalled | HoldView:
        """Hold a cart's pieces under a new name, all or nothing. OutOfStockError names what is short."""
        hold_id = mint("rsv")

        def work(session: Session, now: datetime) -> None:
            pinned, loose = _exploded(session, wishes)
            nodes = _nodes(session, country, pinned, loose)
            short: tuple[Shortage, ...] = ()
            for _ in range(_TRIES if loose else 1):  # only another look can find another place
                items = [*pinned, *self._spread(session, loose, nodes, now)]
                held = self._stock.hold_cart(session, hold_id, caller, items, expires_at=now + lasts, now=now)
                if not isinstance(held, Short):
                    return
                short = held.shortages
            raise OutOfStockError(short)

        return self._requests.once(key, hold_id, work) or self.held(hold_id, caller)

    def held(self, hold_id: str, caller: str) -> HoldView:
        """NotFoundError when this caller has no such hold."""

        def work(session: Session) -> HoldView:
            hold = _own(session, hold_id, caller)
            rows = session.execute(
                select(Reservation.sku, Reservation.location_id, func.sum(Reservation.quantity))
                .where(Reservation.holder == hold_id, Reservation.state == ReservationState.ACTIVE)
                .group_by(Reservation.sku, Reservation.location_id)
                .order_by(Reservation.sku, Reservation.location_id)
            )
            return HoldView(hold, tuple(CartItem(*row) for row in rows))

        return self._db.transaction(work)

    def release(self, hold_id: str, caller: str) -> None:
        """Let go of a cart's hold; twice is once. NotFoundError when this caller has no such hold."""

        def work(session: Session) -> None:
            _own(session, hold_id, caller)
            self._stock.release_cart(session, hold_id, self._clock.now())

        self._db.transaction(work)

    def _spread(
        self, session: Session, loose: Mapping[str, int], nodes: Sequence[str], now: datetime
    ) -> Sequence[CartItem]:
        if not loose:
            return ()
        free = self._stock.availability(session, loose, now, nodes)
        placed = spread(loose, nodes, free)
        short = [each for each in placed if isinstance(each, Shortage)]
        if short:
            raise OutOfStockError(short)
        return [each for each in placed if isinstance(each, CartItem)]


def check_stocked(session: Session, location_id: str, skus: Sequence[str]) -> None:
    """InvalidError where there is no such location, or names the first item that has no stock of its own."""
    if session.get(Location, location_id) is None:
        raise InvalidError("No such location.", code="unknown_location", field="location_id")
    known = _variants(session, skus)
    for place, sku in enumerate(skus):
        if known[sku].bundle:
            raise InvalidError("A bundle's components have the stock.", code="bundle", field=f"items.{place}.sku")


def _variants(session: Session, skus: Sequence[str]) -> Mapping[str, Variant]:
    """By SKU; InvalidError names the first item whose SKU nobody knows."""
    known = {row.sku: row for row in session.scalars(select(Variant).where(Variant.sku.in_(skus)))}
    for place, sku in enumerate(skus):
        if sku not in known:
            raise InvalidError("No such SKU.", code="unknown_sku", field=f"items.{place}.sku")
    return known


def _exploded(session: Session, wishes: Sequence[Wish]) -> tuple[list[CartItem], dict[str, int]]:
    """The pieces at named locations, and those that may lie anywhere; of a bundle its components."""
    known = _variants(session, [wish.sku for wish in wishes])
    bundles = [sku for sku, variant in known.items() if variant.bundle]
    parts: dict[str, list[tuple[str, int]]] = {sku: [(sku, 1)] for sku in known if sku not in bundles}
    if bundles:
        for part in session.scalars(select(BundleComponent).where(BundleComponent.bundle_sku.in_(bundles))):
            parts.setdefault(part.bundle_sku, []).append((part.component_sku, part.quantity))
    pinned: list[CartItem] = []
    loose: dict[str, int] = {}
    for wish in wishes:
        for sku, quantity in parts.get(wish.sku, ()):
            if wish.location_id is None:
                loose[sku] = loose.get(sku, 0) + quantity * wish.quantity
            else:
                pinned.append(CartItem(sku, wish.location_id, quantity * wish.quantity))
    if sum(loose.values()) + sum(item.quantity for item in pinned) > MAX_UNITS:
        raise InvalidError(f"A cart holds at most {MAX_UNITS} pieces.", code="too_large", field="items")
    return pinned, loose


def _nodes(
    session: Session, country: str | None, pinned: Sequence[CartItem], loose: Mapping[str, int]
) -> Sequence[str]:
    """The country's nodes, first those that ship first. Named locations must be there."""
    places = {item.location_id for item in pinned}
    if places - set(session.scalars(select(Location.id).where(Location.id.in_(places)))):
        raise InvalidError("No such location.", code="unknown_location", field="items")
    if not loose:
        return ()
    if country is None:
        raise InvalidError("Name the country, or a location for each item.", code="country_missing", field="country")
    ready = select(Location.id).where(Location.country == country, Location.paused.is_(False))
    return session.scalars(ready.order_by(Location.priority, Location.id)).all()


def _own(session: Session, hold_id: str, caller: str) -> CartHold:
    hold = session.get(CartHold, hold_id)
    if hold is None or hold.caller != caller:
        raise NotFoundError("No such reservation.")
    return hold
