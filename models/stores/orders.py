"""The order's own transactions: what `OrderActivities` calls, and picking, which wakes no workflow."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.errors import ConflictError, NotFoundError
from models.messages.activities import EffectFailed, Learned
from models.messages.commands import Asked, CommandOutcome
from models.messages.facts import PAYMENT, UNCONFIRMED, Facts, OrderFacts
from models.messages.order import OrderInput
from models.money import format_money
from models.refusals import refusal
from models.stores.addresses import destination_of
from models.stores.answers import done_or_refused
from models.stores.book import Book, is_ended
from models.stores.fulfilment import SYSTEM, Fulfilment
from models.stores.obedience import Obedience
from models.stores.taking_in import TakingIn
from models.tables.messages import InboxFact
from models.tables.orders import Order
from models.tables.shipments import Shipment, TrackingEvent
from models.vendors import Address, AddressVerdict
from models.words import CaseType, CommandKind, Role, Stage, Verdict


class OrderStore:
    """`link` is the public address of the order pages; orders are shown to ops with it."""

    def __init__(self, db: Database, clock: Clock, fulfilment: Fulfilment, *, link: str = "") -> None:
        self._db = db
        self._clock = clock
        self._fulfilment = fulfilment
        self._obedience = Obedience(fulfilment)
        self._taking_in = TakingIn(fulfilment)
        self._link = link

    def _on(self, order_id: str, work: Callable[[Book], CommandOutcome | None]) -> Learned:
        """One transaction on one order: lock it, do the work, settle it, answer what Postgres now holds."""

        def transaction(session: Session) -> Learned:
            book = Book.open(session, order_id, self._clock.now())
            book.read()
            outcome = work(book)
            return Learned(facts=book.settle(), outcome=outcome)

        return self._db.transaction(transaction)

    # Starting a run

    def run_input(self, order_id: str) -> OrderInput:
        """What the order's run is started with; one that had a run before resumes from its facts."""

        def work(session: Session) -> OrderInput:
            order = session.get_one(Order, order_id)
            known = OrderFacts(expires_at=order.expires_at) if order.verdict is None else self._facts(session, order_id)
            return OrderInput(
                order_id=order.id,
                number=order.number,
                channel=order.channel,
                brand=order.brand_id,
                summary=f"{order.number} · {format_money(order.total, order.currency)} · {order.channel}",
                link=f"{self._link}/v1/orders/{order.id}" if self._link else "",
                timings=order.timings,  # pyright: ignore[reportArgumentType] (pydantic reads the row's JSON)
                facts=Facts(known=known),
            )

        return self._db.transaction(work)

    def started(self, order_id: str) -> None:
        """The run was asked for and Temporal answered: the sweeper need not."""

        def work(session: Session) -> None:
            order = session.get_one(Order, order_id)
            order.started_at = order.started_at or self._clock.now()

        self._db.transaction(work)

    def unstarted(self, older_than: datetime, limit: int = 50) -> Sequence[str]:
        """Orders that no run was heard of for."""
        query = select(Order.id).where(
            Order.status == "pending", Order.started_at.is_(None), Order.created_at < older_than
        )
        return self._db.transaction(
            lambda session: list(session.scalars(query.order_by(Order.created_at).limit(limit)))
        )

    def _facts(self, session: Session, order_id: str) -> OrderFacts:
        return Book.open(session, order_id, self._clock.now()).facts()

    def facts(self, order_id: str) -> Learned:
        return self._on(order_id, lambda _: None)

    # Checkout

    def destination(self, order_id: str) -> Address | Learned:
        """Where it goes; answers instead when there is a verdict already, or no time left."""

        def look(session: Session) -> Address | None:
            order = session.get_one(Order, order_id)
            is_late = self._clock.now() >= order.expires_at
            return None if is_late or order.verdict is not None else destination_of(order)

        def end(book: Book) -> None:
            self._fulfilment.is_over(book)

        return self._db.transaction(look) or self._on(order_id, end)

    def place(self, order_id: str, verdict: AddressVerdict) -> Learned:
        """The address is known: plan which nodes ship what and hold it there, or end the order with nothing held."""

        def work(book: Book) -> None:
            order = book.order
            if self._fulfilment.is_over(book) or book.shipments:
                return
            if not verdict.deliverable:
                self._fulfilment.refuse(book, Verdict.INVALID_ADDRESS, {"reason": verdict.reason})
            else:
                order.verified_at = book.now
                order.latitude, order.longitude = verdict.latitude, verdict.longitude
                self._fulfilment.plan(book)

        return self._on(order_id, work)

    # Commands, facts, waits that ended

    def obey(self, order_id: str, asked: Asked) -> Learned:
        """Carry a command out, or refuse it; one that can never be carried out is refused, too, so that nobody waits.

        Raises what may pass, and `NotFoundError` where there is no such order.
        """
        return done_or_refused(
            lambda: self._on(order_id, lambda book: self._obedience.obey(book, asked)),
            lambda broken: self._on(order_id, lambda book: self._obedience.give_up(book, asked, broken)),
        )

    def pick(
        self, shipment_id: str, actor: str, unit_ids: Sequence[str] | None = None, *, scope: str | None = None
    ) -> OrderFacts:
        """Units taken from the shelf; all of them without a list. `ConflictError` where the shipment forbids it.

        `scope` is a store's location: elsewhere nothing is found.
        """
        here = () if scope is None else (Shipment.location_id == scope,)

        def work(session: Session) -> OrderFacts:
            order_id = session.scalar(select(Shipment.order_id).where(Shipment.id == shipment_id, *here))
            if order_id is None:
                raise NotFoundError("No such shipment.")
            book = Book.open(session, order_id, self._clock.now())
            shipment = book.shipment(shipment_id)
            on_hold = book.is_on_hold(shipment)
            if no := refusal(CommandKind.PACK, shipment.stage, leaving=shipment.leaving, on_hold=on_hold):
                raise ConflictError(no.message, code=no.code)
            inside = [u.id for u in book.units_of(shipment)]
            if unknown := set(unit_ids or ()) - set(inside):
                raise ConflictError(f"{len(unknown)} of these units are not in the shipment", code="not_in_shipment")
            if gone := self._fulfilment.pick(book, shipment, unit_ids or inside, actor):
                raise ConflictError(gone.message, code=gone.code)
            return book.settle()

        return self._db.transaction(work)

    def apply_facts(self, order_id: str, fact_ids: Sequence[str]) -> Learned:
        """Take in inbox rows, oldest first, each once. What contradicts us is a case, never an error."""

        def work(book: Book) -> None:
            query = select(InboxFact).where(InboxFact.id.in_(fact_ids)).order_by(InboxFact.occurred_at, InboxFact.id)
            for fact in book.session.scalars(query.with_for_update()):
                if fact.applied_at is None:
                    fact.result = self._taking_in.take_in(book, fact)
                    fact.applied_at = book.now

        return self._on(order_id, work)

    def lapse(self, order_id: str, key: str, deadline: datetime) -> Learned:
        """A wait ended by its timer. Done once: only while the wait still has this deadline."""

        def work(book: Book) -> None:
            if key == PAYMENT:
                if book.order.customer_until == deadline:
                    self._give_up_unpaid(book)
            elif (shipment := book.shipment(key)).deadline == deadline and not shipment.leaving:
                self._lapsed(book, shipment)

        return self._on(order_id, work)

    def _lapsed(self, book: Book, shipment: Shipment) -> None:
        waits = book.timings
        match shipment.stage:
            case Stage.OFFERED:
                self._fulfilment.re_source(book, shipment, "silent", SYSTEM)
            case Stage.UNSOURCED:
                self._fulfilment.give_up(book, [shipment], "no_shelf_has_it")
            case Stage.ACCEPTED:
                shipment.deadline = book.now + waits.pack
                book.open_case(CaseType.OVERDUE_PACK, shipment.id, Role.STORE, node=shipment.location_id)
            case Stage.CAPTURED:
                shipment.deadline = book.now + waits.hand_over
                book.open_case(CaseType.OVERDUE_HAND_OVER, shipment.id, Role.STORE, node=shipment.location_id)
            case Stage.HANDED_OVER:
                heard = _last_heard(book, shipment)
                if heard + waits.tracking_silence > book.now:
                    shipment.deadline = heard + waits.tracking_silence
                    book.tell("shipment.on_its_way", "carrier", shipment=shipment.id)
                    return
                shipment.deadline = book.now + waits.tracking_silence
                book.open_case(CaseType.TRACKING_SILENT, shipment.id, Role.CS)
            case _:
                shipment.deadline = book.now + waits.hold_review
                book.open_case(CaseType.HOLD_OVERDUE, shipment.id, Role.OPS, stage=shipment.stage)

    def _give_up_unpaid(self, book: Book) -> None:
        """The customer did not answer: what is not paid for is cancelled. Of what has left the customer is asked on."""
        unpaid = {u.shipment_id for u in book.uncaptured}
        here = [s for s in book.shipments if s.id in unpaid and not is_ended(s) and s.handed_over_at is None]
        if left := [s for s in here if book.owes(s)]:
            self._fulfilment.give_up(book, left, "unpaid")
            return
        book.order.customer_until = book.now + book.timings.customer_answer
        book.open_case(CaseType.AWAITING_CUSTOMER, book.order.id, Role.CS)

    def undo(self, order_id: str, shipment_id: str) -> Learned:
        def work(book: Book) -> None:
            shipment = book.shipment(shipment_id)
            if shipment.leaving and not is_ended(shipment):
                self._fulfilment.undo(book, shipment)

        return self._on(order_id, work)

    def expire(self, order_id: str) -> Learned:
        """Not confirmed in time: its stock is free at once, and nothing of it is ever captured."""

        def work(book: Book) -> None:
            if book.order.verdict in UNCONFIRMED:
                self._fulfilment.refuse(book, Verdict.EXPIRED, {})

        return self._on(order_id, work)

    def close(self, order_id: str) -> Learned:
        def work(book: Book) -> None:
            if book.order.closed_at is None:
                book.order.closed_at = book.now
                book.tell("order.closed", SYSTEM)

        return self._on(order_id, work)

    def open_case(self, failed: EffectFailed) -> Learned:
        """An effect failed for good. Its owner is ops; a retry or the next review tries it again."""

        def work(book: Book) -> None:
            detail: dict[str, Any] = {"effect": failed.effect, "error": failed.error_type}
            subject = failed.key if failed.key.startswith("shp_") else book.order.id
            book.open_case(CaseType.STUCK_EFFECT, subject, Role.OPS, **detail)

        return self._on(failed.order_id, work)

    def report(self, order_id: str, signals: Sequence[str]) -> Learned:
        """Somebody sent the run what it cannot understand: ops find out who and what was meant."""
        return self._on(
            order_id,
            lambda book: book.open_case(CaseType.SENSELESS_COMMAND, order_id, Role.OPS, signals=list(signals)),
        )


def _last_heard(book: Book, shipment: Shipment) -> datetime:
    """When the carrier last said anything of this parcel; when it was handed over, if nothing."""
    query = select(func.max(TrackingEvent.occurred_at)).where(TrackingEvent.shipment_id == shipment.id)
    return book.session.scalar(query) or shipment.handed_over_at or shipment.created_at
