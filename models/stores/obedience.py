"""Commands carried out: each decided under the order's lock, answered once, and kept in the audit."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import select

from models.messages.commands import Asked, CommandOutcome
from models.refusals import DONE, refusal, refused
from models.stores.answers import answer, give_up, who
from models.stores.book import Book
from models.stores.cancelling import Cancelling
from models.stores.fulfilment import SYSTEM, Fulfilment
from models.tables.catalogue import Box, Variant
from models.tables.messages import Command
from models.tables.shipments import Shipment
from models.words import CommandKind, Role, Stage

_ABOUT_THE_ORDER: Final = frozenset({CommandKind.CANCEL, CommandKind.HOLD, CommandKind.RELEASE, CommandKind.RETRY})


class Obedience:
    def __init__(self, fulfilment: Fulfilment) -> None:
        self._fulfilment = fulfilment
        self._cancelling = Cancelling(fulfilment)

    def obey(self, book: Book, asked: Asked) -> CommandOutcome:
        """Carry the command out, or answer what was answered before. A cancel is answered when all is undone."""
        return _answering(book, asked, lambda command: self._obey(book, command, asked))

    def give_up(self, book: Book, asked: Asked, error: Exception) -> CommandOutcome:
        """Carrying it out broke for good: refuse it."""
        return _answering(book, asked, lambda command: give_up(command, error, book))

    def _obey(self, book: Book, command: Command, asked: Asked) -> CommandOutcome:
        outcome = _unknown_shipment(book, command, asked) or self._decide(book, command)
        if not (command.kind is CommandKind.CANCEL and outcome.done):  # that is answered when all is undone
            answer(command, outcome, book)
        return outcome

    def _decide(self, book: Book, command: Command) -> CommandOutcome:
        match command.kind:
            case CommandKind.CANCEL:
                return self._cancelling.cancel(book, command)
            case CommandKind.HOLD:
                shipment = book.shipment(command.shipment_id) if command.shipment_id else None
                return DONE.but(detail={"hold": book.hold(shipment, command.reason, who(command)).id})
            case CommandKind.RELEASE:
                return _release(book, command)
            case CommandKind.RETRY:
                return self._retry(book, command)
            case _:
                return self._about_shipment(book, command)

    def _about_shipment(self, book: Book, command: Command) -> CommandOutcome:
        shipment = book.shipment(command.shipment_id or "")
        on_hold = book.is_on_hold(shipment)
        to_take_out = bool(book.to_take_out(shipment))
        if no := refusal(
            command.kind, shipment.stage, leaving=shipment.leaving, on_hold=on_hold, to_take_out=to_take_out
        ):
            return no
        match command.kind:
            case CommandKind.ACCEPT:
                self._fulfilment.accept(book, shipment, who(command))
            case CommandKind.REJECT:
                self._fulfilment.re_source(book, shipment, command.reason, who(command))
            case CommandKind.PACK:
                return self._pack(book, shipment, command)
            case CommandKind.TAKE_OUT:
                return self._cancelling.take_out(book, shipment, who(command))
            case _:
                self._fulfilment.hand_over(book, shipment, who(command), book.now)
        return DONE

    def _pack(self, book: Book, shipment: Shipment, command: Command) -> CommandOutcome:
        if (box_id := command.payload.get("box")) and book.session.get(Box, box_id) is None:
            return refused("unknown_box", "There is no such box.")
        grams = command.payload.get("grams") or _weigh(book, shipment, command.payload.get("box"))
        if not grams:
            return refused("weight_unknown", "A unit has no weight on file: say the parcel's grams.")
        gone = self._fulfilment.pack(book, shipment, command.payload.get("box"), grams, who(command))
        return refused(gone.code, gone.message) if gone else DONE

    def _retry(self, book: Book, command: Command) -> CommandOutcome:
        again = [s for s in book.shipments if s.stage is Stage.UNSOURCED and not s.leaving]
        sourced = sum(self._fulfilment.source_again(book, s) for s in again)
        refunds = book.retry_refunds()
        book.tell("order.retried", who(command), sourced=sourced, refunds=refunds)
        found = {"sourced": sourced, "unsourced": len(again) - sourced}
        return DONE.but(detail={**found, "refunds": refunds, "refused_for_good": len(book.refused_refunds)})


def _answering(book: Book, asked: Asked, decide: Callable[[Command], CommandOutcome]) -> CommandOutcome:
    """What came of it; what `decide` says, where nothing has yet."""
    command = book.session.get(Command, asked.command_id) or _by_hand(book, asked)
    if command.order_id != book.order.id:
        book.tell("command.refused", SYSTEM, command=command.id, code="other_order")
        return refused("other_order", "That command was given to another order.")
    if command.outcome is not None:
        return CommandOutcome.model_validate(command.outcome)
    return decide(command)


def _by_hand(book: Book, asked: Asked) -> Command:
    """What was sent in Temporal's UI or CLI has no row yet. A cancel's reason is a code, its actor a word."""
    sent = asked.cancel
    command = Command(
        id=asked.command_id,
        order_id=book.order.id,
        shipment_id=asked.shipment_id if _has(book, asked.shipment_id) else None,
        kind=asked.kind,
        role=Role.OPS,
        actor=sent.actor[:80] if sent else "unknown",
        reason=sent.reason[:80] if sent else "unknown",
        payload={"units": list(sent.units)} if sent else {},
        note="",
        created_at=book.now,
        heard_at=book.now,  # it is in the run's history already
    )
    book.session.add(command)
    book.session.flush()
    return command


def _unknown_shipment(book: Book, command: Command, asked: Asked) -> CommandOutcome | None:
    """What is about a shipment names one of this order."""
    named = command.shipment_id or asked.shipment_id
    if (named or command.kind not in _ABOUT_THE_ORDER) and not _has(book, named):
        return refused("unknown_shipment", "The order has no such shipment.")
    return None


def _has(book: Book, shipment_id: str | None) -> bool:
    return any(shipment.id == shipment_id for shipment in book.shipments)


def _release(book: Book, command: Command) -> CommandOutcome:
    wanted = command.payload.get("hold")
    hold = next((h for h in book.holds if h.id == wanted), None)
    if hold is None:
        return refused("no_such_hold", "That hold is not active.")
    hold.released_at, hold.released_by = book.now, who(command)
    held = [s for s in book.shipments if book.is_on_hold(s)]
    book.holds.remove(hold)
    freed = [s.id for s in held if not book.is_on_hold(s)]
    for intent in () if book.holds else book.open_intents:
        intent.look_due = True  # much may have happened to it meanwhile
    book.tell("hold.released", who(command), hold=hold.id, reason=hold.reason, freed=freed)
    return DONE


def _weigh(book: Book, shipment: Shipment, box_id: str | None) -> int | None:
    """Grams of the packed parcel by the catalogue; None where a unit has no weight on file."""
    skus = [u.sku for u in book.units_of(shipment)]
    rows = book.session.execute(select(Variant.sku, Variant.grams).where(Variant.sku.in_(set(skus))))
    known = {sku: grams for sku, grams in rows}  # noqa: C416 (rows are not pairs to the type checker)
    weights = [known[sku] for sku in skus]
    if any(w is None for w in weights):
        return None
    box = book.session.get(Box, box_id) if box_id else None
    return sum(w for w in weights if w) + (box.grams if box else 0)
