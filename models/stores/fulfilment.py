"""How an order's units move: planned, lost to a count, packed, cancelled, handed over, delivered.

Each method works on a `Book` whose order is locked, and leaves stock, units, shipments and events agreeing. None
commits, and none talks to anyone outside.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from models.messages.facts import UNCONFIRMED
from models.stock import Refused
from models.stores.book import Book, is_ended
from models.stores.nodes import SYSTEM, Nodes, end
from models.stores.shelf import follow
from models.stores.sourcing import Shortage
from models.tables.orders import OrderUnit
from models.tables.shipments import Shipment
from models.words import CaseType, ClaimKind, Mark, MovementReason, Role, Stage, UnitState, Verdict

ORIGINAL_LEFT: Final = "original_left"  # the hold of what replaces a parcel that a carrier has all the same
_ON_THE_SHELF: Final = frozenset({UnitState.RESERVED, UnitState.ACCEPTED})  # and not picked yet


class Fulfilment(Nodes):
    # Checkout

    def plan(self, book: Book) -> None:
        """Hold every unit at the nodes that sourcing chose, or end the order out of stock with nothing held."""
        order = book.order
        if order.cart_hold_id:
            self._stock.lend_cart(book.session, order.cart_hold_id, order.id, book.now)
        self._plan(book, "checkout")

    def _plan(self, book: Book, cause: str) -> bool:
        """False: no shelf has it all, and the order has ended."""
        units = [u for u in book.units if u.state is not UnitState.CANCELLED]  # some may be, while the address is asked
        placed = self.place(book, units, cause, origin=None)
        if isinstance(placed, Shortage):
            detail = {"lines": [asdict(line) for line in placed.lines]}
            self.refuse(book, Verdict.OUT_OF_STOCK, detail)
            return False
        for shipment in book.shipments:
            if not is_ended(shipment) and not book.units_of(shipment):
                end(shipment, Stage.RE_SOURCED, cause)
        book.tell("order.reserved", SYSTEM, shipments=len(placed), nodes=[s.location_id for s in placed])
        return True

    def is_over(self, book: Book) -> bool:
        """Whether checkout has its verdict. One that has run out of time is expired by whoever asks first."""
        if book.order.verdict is None and book.now >= book.order.expires_at:
            self.refuse(book, Verdict.EXPIRED, {})
        return book.order.verdict is not None

    def refuse(self, book: Book, verdict: Verdict, detail: dict[str, Any]) -> None:
        """End a checkout without a confirmed order: nothing stays held, and a cart's hold is the cart's again."""
        order = book.order
        order.verdict, order.verdict_detail = verdict, detail
        if order.cart_hold_id:
            self._stock.return_cart(book.session, order.cart_hold_id, order.id, book.now)
        else:
            self._stock.release(book.session, order.id, book.now)
        for unit in book.units:
            unit.state = UnitState.CANCELLED
        for shipment in book.shipments:
            end(shipment, Stage.CANCELLED, verdict.value)
        book.tell(f"order.{'expired' if verdict is Verdict.EXPIRED else 'failed'}", SYSTEM, verdict=verdict.value)

    def confirm(self, book: Book) -> None:
        """The money is there: the hold loses its expiry and each node gets its parcel.

        Units that a physical fact took meanwhile are looked for once more; if no shelf has them, the order ends.
        """
        order = book.order
        held = self._stock.confirm(book.session, order.id, book.now)
        if held is None and self._plan(book, "lost"):
            held = self._stock.confirm(book.session, order.id, book.now)
        if held is None:
            return
        for unit in book.units:
            unit.lot_id = held.lots.get(unit.id, unit.lot_id)
        order.verdict, order.confirmed_at = Verdict.CONFIRMED, book.now
        order.promised_by = order.promised_by or book.now + book.timings.pack + timedelta(days=order.transit_days)
        book.tell("order.confirmed", SYSTEM, total=order.total, currency=order.currency)
        for shipment in book.shipments:
            if shipment.stage is Stage.PLANNED:
                self.send_to_node(book, shipment)

    # The shelf

    def lose(self, book: Book, unit_ids: Collection[str]) -> bool:
        """A physical fact took these units' holds before anybody had picked them: they are sourced elsewhere.

        The others of their parcels stay; an order that is not confirmed yet is planned anew. False where nothing is to
        be done any more.
        """
        held = {unit.unit_id for unit in self._stock.reserved_units(book.session, book.order.id)}
        lost = [u for u in book.units if u.id in unit_ids and u.id not in held and u.state in _ON_THE_SHELF]
        if lost and book.order.verdict in UNCONFIRMED:
            self._stock.release(book.session, book.order.id, book.now)
            self._plan(book, "lost")
            return True
        parcels = [s for s in book.shipments if any(u.shipment_id == s.id and not s.leaving for u in lost)]
        for shipment in parcels:
            gone = [u for u in lost if u.shipment_id == shipment.id]
            book.tell("shipment.units_lost", SYSTEM, shipment=shipment.id, units=len(gone))
            self.elsewhere(book, shipment, gone, "lost")
        return bool(parcels)

    # The parcel's way

    def pick(self, book: Book, shipment: Shipment, unit_ids: Iterable[str], actor: str) -> Refused | None:
        """Units taken from the shelf: a mark on their reservation, a row that wakes nobody."""
        wanted = set(unit_ids)
        picked = [u for u in book.units_of(shipment) if u.id in wanted]
        if no := self._stock.mark(book.session, [u.id for u in picked], Mark.PICKED, book.now):
            return no
        for unit in picked:
            unit.state = UnitState.PICKED
        book.tell("shipment.picked", actor, shipment=shipment.id, units=len(picked))
        return None

    def pack(self, book: Book, shipment: Shipment, box_id: str | None, grams: int | None, actor: str) -> Refused | None:
        units = book.units_of(shipment)
        if no := self._stock.mark(book.session, [u.id for u in units], Mark.PACKED, book.now):
            return no
        for unit in units:
            unit.state = UnitState.PACKED
        shipment.stage, shipment.packed_at = Stage.PACKED, book.now
        shipment.box_id, shipment.grams = box_id, grams
        shipment.deadline = book.now + book.timings.hold_review
        book.tell("shipment.packed", actor, shipment=shipment.id, box=box_id, grams=grams)
        return None

    def paid(self, book: Book, shipment: Shipment) -> None:
        """It is paid for: to be handed over, unless the carrier's scan came first."""
        if shipment.handed_over_at is None:
            shipment.stage, shipment.deadline = Stage.CAPTURED, book.now + book.timings.hand_over
            return
        shipment.stage = Stage.HANDED_OVER
        self.end_delivered(book, shipment)

    def hand_over(self, book: Book, shipment: Shipment, actor: str, at: datetime) -> None:
        """The carrier has it since `at`. A parcel not captured yet is captured next."""
        units = book.units_of(shipment)
        if forgotten := book.to_take_out(shipment):
            gone = len(forgotten)
            book.open_case(CaseType.TRACKING_CONTRADICTS, shipment.id, Role.CS, cancelled_units_left=gone)
        if missing := self._leave(book, shipment, units, actor, at):
            book.open_case(CaseType.STOCK_MISSING, shipment.id, Role.OPS, units=[u.id for u in missing])
        for unit in units:
            if unit.state is not UnitState.CANCELLED:
                unit.state = UnitState.HANDED_OVER
        shipment.deadline = book.now + book.timings.tracking_silence
        if shipment.stage is Stage.CAPTURED:
            shipment.stage = Stage.HANDED_OVER

    def left_all_the_same(self, book: Book, shipment: Shipment, at: datetime) -> None:
        """The carrier has a parcel that was cancelled or sourced elsewhere: nobody pays, and what replaces it waits."""
        replacing = book.replacements(shipment)
        elsewhere = [u for replacement in replacing for u in book.units_of(replacement)]
        self._leave(book, shipment, [*book.units_of(shipment), *elsewhere], "carrier", at)
        for replacement in replacing:
            if not is_ended(replacement) and replacement.handed_over_at is None:
                book.hold(replacement, ORIGINAL_LEFT, SYSTEM)

    def _leave(
        self, book: Book, shipment: Shipment, units: Sequence[OrderUnit], actor: str, at: datetime
    ) -> Sequence[OrderUnit]:
        """On hand and reserved fall together. What nobody holds there is gone from there, too: answers these units."""
        operation = f"{book.order.id}:{shipment.id}:hand_over"
        inside = [u.id for u in units if u.shipment_id == shipment.id]
        held = self._stock.consume(
            book.session, inside, operation=operation, order_id=book.order.id, actor=actor, now=book.now
        )
        missing = [u for u in units if u.id in held.missing or u.shipment_id != shipment.id]
        if missing:
            gone = f"{operation}:unheld"
            lost = self._stock.lose(
                book.session, shipment.location_id, Counter(u.sku for u in missing),
                reason=MovementReason.HAND_OVER, operation=gone, actor=actor, at=at, now=book.now,
            )  # fmt: skip
            follow(book.session, lost, gone, book.now)
        shipment.handed_over_at = book.now
        book.tell("shipment.handed_over", actor, shipment=shipment.id, node=shipment.location_id)
        return missing

    def deliver(self, book: Book, shipment: Shipment) -> None:
        """The customer has it. A parcel not captured yet stays open until it is."""
        for unit in book.units_of(shipment):
            if unit.state is not UnitState.CANCELLED:
                unit.state = UnitState.DELIVERED
        shipment.delivered_at = book.now
        book.tell("shipment.delivered", "carrier", shipment=shipment.id)
        self.end_delivered(book, shipment)

    def end_delivered(self, book: Book, shipment: Shipment) -> None:
        """A parcel that is delivered and captured, whichever came last, is done; the order with its last one."""
        if shipment.delivered_at is None or shipment.stage is not Stage.HANDED_OVER:
            return
        end(shipment, Stage.DELIVERED, None)
        if all(is_ended(s) for s in book.shipments):
            book.order.delivered_at = book.now

    # Cancelling

    def cancel(self, book: Book, shipments: Sequence[Shipment], reason: str) -> None:
        """These parcels will not leave: their units are cancelled now, and undone label, money, stock."""
        for shipment in shipments:
            shipment.leaving, shipment.end_reason = True, reason
            for unit in book.units_of(shipment):
                unit.state = UnitState.CANCELLED
            book.tell("shipment.leaving", SYSTEM, shipment=shipment.id, reason=reason)

    def give_up(self, book: Book, shipments: Sequence[Shipment], reason: str) -> None:
        """As if somebody had cancelled them: claimed, so that what a capture in flight still takes is given back."""
        units = [u for s in shipments for u in book.units_of(s) if u.state is not UnitState.CANCELLED]
        book.claim(units, ClaimKind.CANCEL)
        self.cancel(book, shipments, reason)

    def cancel_units(self, book: Book, units: Sequence[OrderUnit], reason: str) -> None:
        """Whole parcels leave; of others these units are dropped, or lie in the closed parcel until taken out."""
        for unit in units:
            unit.state = UnitState.CANCELLED
        touched = {u.shipment_id for u in units}
        for shipment in (s for s in book.shipments if s.id in touched and not is_ended(s)):
            inside = book.units_of(shipment)
            gone = [u for u in inside if u.state is UnitState.CANCELLED]
            if len(gone) == len(inside):
                self.cancel(book, [shipment], reason)
            elif shipment.packed_at is None:
                self.drop(book, gone)
                book.tell("shipment.units_dropped", SYSTEM, shipment=shipment.id, units=len(gone))
            else:
                book.tell("shipment.units_to_take_out", SYSTEM, shipment=shipment.id, units=len(gone))

    def drop(self, book: Book, units: Sequence[OrderUnit]) -> None:
        """These are no part of their parcel any more, and free for others."""
        self._stock.release(book.session, book.order.id, book.now, unit_ids=[u.id for u in units])
        for unit in units:
            unit.shipment_id = None

    def undo(self, book: Book, shipment: Shipment) -> None:
        """Label and money are undone: the stock is free again."""
        ids = [u.id for u in book.units_of(shipment)]
        self._stock.release(book.session, book.order.id, book.now, unit_ids=ids)
        end(shipment, Stage.CANCELLED, shipment.end_reason)
        shipment.leaving = False
        book.tell("shipment.cancelled", SYSTEM, shipment=shipment.id, reason=shipment.end_reason)
        if book.order.delivered_at is None and all(is_ended(s) for s in book.shipments):
            self._all_ended(book)

    def _all_ended(self, book: Book) -> None:
        if any(s.stage is Stage.DELIVERED for s in book.shipments):
            book.order.delivered_at = book.now
        if book.order.cart_hold_id and book.order.confirmed_at is None:
            self._stock.return_cart(book.session, book.order.cart_hold_id, book.order.id, book.now)
