"""A return's own transactions: requested, received piece by piece, reminded of, and ended. Money is the order's.

Each works under the order's lock, writes what the order's run is to hear into the inbox, and does its effect once. What
came back is given back by the order's run (`Book.refund_due`), so no two runs touch one intent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.errors import NotFoundError
from models.messages.commands import Asked, CommandOutcome
from models.messages.returns import ReturnFacts, ReturnFailed, ReturnInput, ReturnLearned, ReturnRef, ReturnRun
from models.mint import mint
from models.news import SCANS
from models.refusals import DONE, refused
from models.returning import next_deadline
from models.stock import Receipt
from models.stores.answers import answer, done_or_refused, give_up, who
from models.stores.book import Book
from models.stores.fulfilment import SYSTEM
from models.stores.requests import Recalled, RequestKey, RequestStore
from models.stores.stock import StockStore
from models.tables.messages import Command, InboxFact
from models.tables.orders import Claim, OrderUnit
from models.tables.returns import Return, ReturnUnit
from models.tables.shipments import Label
from models.tables.stock import Location, Lot
from models.words import CaseType, ClaimKind, Disposition, MovementReason, RefundOn, ReturnStage, Role, UnitState


@dataclass(frozen=True, slots=True)
class NewReturn:
    """What a customer wants to send back, and why; `location_id` None sends it to the node that shipped it."""

    order_id: str
    units: Sequence[str]
    reason: str
    actor: str
    note: str = ""
    refund_on: RefundOn = RefundOn.RECEIPT
    wants_label: bool = True
    location_id: str | None = None


@dataclass
class Parcel:
    """One return under its order's lock."""

    book: Book
    row: Return
    pieces: list[ReturnUnit]

    @classmethod
    def of(cls, book: Book, return_id: str) -> "Parcel":
        pieces = select(ReturnUnit).where(ReturnUnit.return_id == return_id).order_by(ReturnUnit.unit_id)
        return cls(book, book.session.get_one(Return, return_id), list(book.session.scalars(pieces)))

    @property
    def label(self) -> Label | None:
        """The live one."""
        query = select(Label).where(Label.return_id == self.row.id, Label.refund_requested_at.is_(None))
        return self.book.session.scalars(query).one_or_none()

    @property
    def missing(self) -> list[ReturnUnit]:
        return [piece for piece in self.pieces if piece.received_at is None]

    def units(self, pieces: Sequence[ReturnUnit]) -> list[OrderUnit]:
        ids = {piece.unit_id for piece in pieces}
        return [unit for unit in self.book.units if unit.id in ids]

    def facts(self) -> ReturnFacts:
        return facts_of(self.row, self.label)

    def tell(self, event: str, actor: str, **data: object) -> None:
        """Add an event to the order's story, and a fact for the order's run, whose knowledge it makes old."""
        self.book.tell(f"return.{event}", actor, **{"return": self.row.id, **data})
        self.book.inform_run(f"return.{event}", self.row.id)


def facts_of(row: Return, label: Label | None) -> ReturnFacts:
    """What its run gets to know; `label` is the live one."""
    closed, bought = row.closed_at is not None, label is not None and label.bought_at is not None
    return ReturnFacts(
        stage=row.stage,
        deadline=row.deadline,
        label_due=row.wants_label and not bought and not closed,
        void_due=closed and label is not None and row.scanned_at is None,
        closed=closed,
    )


class ReturnStore:
    def __init__(
        self, db: Database, clock: Clock, stock: StockStore, requests: RequestStore, *, link: str = ""
    ) -> None:
        self._db = db
        self._clock = clock
        self._stock = stock
        self._requests = requests
        self._link = link

    # Requesting

    def request(self, new: NewReturn, key: RequestKey) -> str | Recalled | CommandOutcome:
        """The new return's id with its units claimed; what this key did before; or why it cannot be."""
        return_id = mint("ret")

        def work(session: Session) -> str | Recalled | CommandOutcome:
            book = Book.open(session, new.order_id, self._clock.now())
            if recalled := self._requests.recall(session, key, book.now):  # under the lock: equal requests queue here
                return return_id if recalled.resource == return_id else recalled
            if no := _refusal(book, new.units):
                return no
            self._requests.claim(session, key, return_id, book.now)
            self._write(book, return_id, new)
            book.settle()
            return return_id

        return self._db.transaction(work)

    def _write(self, book: Book, return_id: str, new: NewReturn) -> None:
        units = [u for u in book.units if u.id in new.units]
        home = new.location_id or next(s.location_id for s in book.shipments if s.id == units[0].shipment_id)
        if book.session.get(Location, home) is None:
            raise NotFoundError(f"no location {home}")
        expires_at = book.now + book.timings.return_transit
        row = Return(
            id=return_id,
            order_id=book.order.id,
            location_id=home,
            stage=ReturnStage.REQUESTED,
            refund_on=new.refund_on,
            wants_label=new.wants_label,
            reason=new.reason,
            note=new.note,
            actor=new.actor,
            expires_at=expires_at,
            deadline=next_deadline(expires_at, book.timings.return_reminders, book.now),
            created_at=book.now,
        )
        book.session.add(row)
        book.session.flush()
        pieces = [ReturnUnit(return_id=return_id, unit_id=unit.id) for unit in units]
        book.session.add_all(pieces)
        book.claim(units, ClaimKind.RETURN, return_id=return_id)
        Parcel(book, row, pieces).tell("requested", new.actor, units=len(units), reason=new.reason)

    # Its run

    def run_input(self, return_id: str) -> ReturnInput:
        def work(parcel: Parcel) -> ReturnInput:
            order, row = parcel.book.order, parcel.row
            words = f"Return of {len(parcel.pieces)} from {order.number} · {row.reason} · to {row.location_id}"
            return ReturnInput(
                return_id=row.id,
                order_id=order.id,
                number=order.number,
                brand=order.brand_id,
                channel=order.channel,
                summary=words,
                link=f"{self._link}/v1/returns/{row.id}" if self._link else "",
                stuck_review=parcel.book.timings.stuck_review,
                renew_at_every_idle_point=parcel.book.timings.renew_at_every_idle_point,
                run=ReturnRun(known=parcel.facts()),
            )

        return self._db.transaction(lambda session: work(self.open(session, self._ref(session, return_id))))

    def started(self, return_id: str) -> None:
        """The run was asked for and Temporal answered: the sweeper need not."""

        def work(session: Session) -> None:
            row = session.get_one(Return, return_id)
            row.started_at = row.started_at or self._clock.now()

        self._db.transaction(work)

    def unstarted(self, older_than: datetime, limit: int = 50) -> Sequence[str]:
        """Returns that no run was heard of for."""
        query = select(Return.id).where(Return.started_at.is_(None), Return.created_at < older_than)
        return self._db.transaction(
            lambda session: list(session.scalars(query.order_by(Return.created_at).limit(limit)))
        )

    # Steps

    def obey(self, return_id: str, asked: Asked) -> ReturnLearned:
        """Carry out the command about this return, or refuse it; one that was answered is answered the same."""
        return done_or_refused(
            lambda: self._answering(return_id, asked, self._obey),
            lambda broken: self._answering(
                return_id, asked, lambda parcel, command: give_up(command, broken, parcel.book)
            ),
        )

    def _answering(
        self, return_id: str, asked: Asked, decide: Callable[[Parcel, Command], CommandOutcome]
    ) -> ReturnLearned:
        def work(session: Session) -> ReturnLearned:
            parcel = self.open(session, self._ref(session, return_id))
            command = session.get(Command, asked.command_id)
            if command is None or command.return_id != return_id:
                outcome = refused("unknown_command", "No such command.")
            elif command.outcome is not None:
                outcome = CommandOutcome.model_validate(command.outcome)
            else:
                outcome = decide(parcel, command)
                parcel.book.show_cases()
                parcel.book.settle()
            return ReturnLearned(facts=parcel.facts(), outcome=outcome)

        return self._db.transaction(work)

    def _obey(self, parcel: Parcel, command: Command) -> CommandOutcome:
        outcome = self._receive(parcel, command)
        answer(command, outcome, parcel.book)
        return outcome

    def _receive(self, parcel: Parcel, command: Command) -> CommandOutcome:
        """Pieces that are here: on the shelf they lie on or scrapped, their claim fulfilled, their money due back."""
        wanted: dict[str, str] = command.payload["units"]
        place: str = command.payload.get("location") or parcel.row.location_id
        here = [piece for piece in parcel.pieces if piece.unit_id in wanted]
        if len(here) < len(wanted):
            return refused("not_in_return", "Not all of these units are in this return.")
        new = [piece for piece in here if piece.received_at is None]
        if not new:
            return CommandOutcome(done=True, code="already_received")
        if parcel.row.closed_at:
            return refused("return_over", f"The return is over ({parcel.row.stage.value}).")
        book = parcel.book
        receipts: list[Receipt] = []
        lots = {u.id: book.session.get(Lot, u.lot_id) if u.lot_id else None for u in parcel.units(new)}
        for piece, unit in zip(new, parcel.units(new), strict=True):
            piece.received_at, piece.location_id = book.now, place
            piece.disposition = Disposition(wanted[unit.id])
            unit.state = UnitState.RETURNED
            if piece.disposition is Disposition.RESTOCK:
                lot, operation = lots[unit.id], f"{parcel.row.id}:{unit.id}:receive"
                code, date = (lot.code, lot.expires_on) if lot else ("", None)
                receipts.append(Receipt(unit.sku, place, 1, operation, code, date))
        done = not parcel.missing
        parcel.row.stage = ReturnStage.RECEIVED if done else ReturnStage.PARTLY_RECEIVED
        if done:
            parcel.row.closed_at, parcel.row.deadline = book.now, None
        parcel.tell("received", who(command), units=len(new), at=place, missing=len(parcel.missing))
        book.session.flush()
        if receipts:
            self._stock.receive_many(
                book.session, receipts, actor=who(command), now=book.now, reason=MovementReason.RETURN
            )
        return DONE.but(detail={"received": len(new), "missing": len(parcel.missing)})

    def apply_facts(self, ref: ReturnRef, fact_ids: Sequence[str]) -> ReturnLearned:
        """The carrier's scans of the return's own label; the first one may be the moment of the refund."""

        def work(parcel: Parcel) -> None:
            query = select(InboxFact).where(InboxFact.id.in_(fact_ids)).order_by(InboxFact.occurred_at, InboxFact.id)
            for fact in parcel.book.session.scalars(query.with_for_update()):
                if fact.applied_at is None:
                    fact.applied_at, fact.result = parcel.book.now, self._scanned(parcel, fact.kind)

        return self._on(ref, work)

    def _scanned(self, parcel: Parcel, kind: str) -> str:
        row, status = parcel.row, kind.partition(".")[2]
        if status not in SCANS or row.scanned_at is not None:
            return "known_already"
        row.scanned_at = parcel.book.now
        if row.closed_at is not None:
            return "over"
        if row.stage in (ReturnStage.REQUESTED, ReturnStage.LABELLED):
            row.stage = ReturnStage.ON_ITS_WAY
        if row.refund_on is RefundOn.SCAN:
            for unit in parcel.units(parcel.pieces):
                unit.state = UnitState.RETURNED
        parcel.tell("on_its_way", "carrier", status=status)
        return "applied"

    def lapse(self, ref: ReturnRef, deadline: datetime) -> ReturnLearned:
        """A reminder is due, or the time to send it back is over. Done once: only while this is the deadline."""

        def work(parcel: Parcel) -> None:
            row, book = parcel.row, parcel.book
            if row.deadline != deadline:
                return
            if deadline >= row.expires_at:
                self._end(parcel)
                return
            row.deadline = next_deadline(row.expires_at, book.timings.return_reminders, deadline)
            parcel.tell("reminded", SYSTEM, missing=len(parcel.missing), until=row.expires_at.isoformat())

        return self._on(ref, work)

    def _end(self, parcel: Parcel) -> None:
        """What did not come may be claimed again, unless it was refunded when the carrier had it: then it is a case."""
        row, book = parcel.row, parcel.book
        missing = parcel.units(parcel.missing)
        lost = [unit for unit in missing if unit.state is UnitState.RETURNED]
        if lost:
            book.open_case(CaseType.RETURN_MISSING, row.id, Role.CS, units=len(lost))
        free = {unit.id for unit in missing} - {unit.id for unit in lost}
        claims = select(Claim).where(Claim.return_id == row.id, Claim.unit_id.in_(free), Claim.live)
        for claim in book.session.scalars(claims):
            claim.live = False
        came = len(missing) < len(parcel.pieces)
        row.stage = ReturnStage.RECEIVED if came else ReturnStage.EXPIRED
        row.closed_at, row.deadline = book.now, None
        parcel.tell("ended", SYSTEM, stage=row.stage.value, missing=len(missing))

    def failed(self, failure: ReturnFailed) -> ReturnLearned:
        """A step failed for good: ops own it, and the run tries it again at its review."""

        def work(parcel: Parcel) -> None:
            detail = {"effect": failure.effect, "error": failure.error_type}
            parcel.book.open_case(CaseType.STUCK_EFFECT, parcel.row.id, Role.OPS, **detail)

        return self._on(failure.ref, work)

    # Opening

    def _on(self, ref: ReturnRef, work: Callable[[Parcel], None]) -> ReturnLearned:
        def transaction(session: Session) -> ReturnLearned:
            parcel = self.open(session, ref)
            work(parcel)
            parcel.book.show_cases()
            parcel.book.settle()
            return ReturnLearned(facts=parcel.facts())

        return self._db.transaction(transaction)

    def open(self, session: Session, ref: ReturnRef) -> Parcel:
        """The return, under its order's lock."""
        return Parcel.of(Book.open(session, ref.order_id, self._clock.now()), ref.return_id)

    def _ref(self, session: Session, return_id: str) -> ReturnRef:
        order_id = session.scalar(select(Return.order_id).where(Return.id == return_id))
        if order_id is None:
            raise NotFoundError("No such return.")
        return ReturnRef(order_id=order_id, return_id=return_id)


def _refusal(book: Book, wanted: Sequence[str]) -> CommandOutcome | None:
    """Why these units cannot be sent back now; None when they can."""
    units = [u for u in book.units if u.id in wanted]
    if len(units) < len(set(wanted)):
        return refused("unknown_unit", "The order has no such unit.")
    if book.order.closed_at or (
        book.order.delivered_at and book.now >= book.order.delivered_at + book.timings.return_window
    ):
        return refused("window_over", "The time to return it is over.")
    claims = select(Claim).where(Claim.order_id == book.order.id, Claim.unit_id.in_(wanted), Claim.live)
    for claim in book.session.scalars(claims.order_by(Claim.id)):
        no = refused("claimed_already", "A unit of it is claimed already.")
        return no.but(
            detail={"unit": claim.unit_id, "claim": claim.kind.value, "by": claim.return_id or claim.command_id}
        )
    if early := [u.id for u in units if u.state is not UnitState.DELIVERED]:
        return refused("not_delivered", "Not all of it was delivered yet.").but(detail={"units": early})
    return None
