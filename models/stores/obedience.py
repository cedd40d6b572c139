"""Commands carried out: each decided under the order's lock, answered once, and kept in the audit."""

from sqlalchemy import select

from models.messages.commands import Asked, CommandOutcome
from models.mint import mint
from models.refusals import DONE, cancel_refusal, refusal, refused
from models.stores.book import Book, is_ended
from models.stores.fulfilment import Fulfilment
from models.tables.catalogue import Box, Variant
from models.tables.messages import Audit, Command
from models.tables.orders import Claim
from models.tables.shipments import Shipment
from models.words import CaseType, ClaimKind, CommandKind, Role, Stage, UnitState, Verdict

CANCELLED = CommandOutcome(done=True, code="cancelled")


class Obedience:
    def __init__(self, fulfilment: Fulfilment) -> None:
        self._fulfilment = fulfilment

    def obey(self, book: Book, asked: Asked) -> CommandOutcome:
        """Carry the command out, or answer what was answered before. A cancel is answered when all is undone."""
        command = book.session.get(Command, asked.command_id) or self._from_signal(book, asked)
        if command.outcome is not None:
            return CommandOutcome.model_validate(command.outcome)
        outcome = self._decide(book, command)
        if not (command.kind is CommandKind.CANCEL and outcome.done and not all(is_ended(s) for s in book.shipments)):
            answer(command, outcome, book)
        return outcome

    def _from_signal(self, book: Book, asked: Asked) -> Command:
        """A cancel sent by hand in Temporal's UI or CLI has no row yet. Its reason is a code, its actor a word."""
        sent = asked.cancel
        command = Command(
            id=asked.command_id,
            order_id=book.order.id,
            shipment_id=None,
            kind=asked.kind,
            role=Role.OPS,
            actor=sent.actor[:80] if sent else "unknown",
            reason=sent.reason[:80] if sent else "unknown",
            payload={"units": list(sent.units)} if sent else {},
            note="",
            created_at=book.now,
            sent_at=book.now,
        )
        book.session.add(command)
        book.session.flush()
        return command

    def _decide(self, book: Book, command: Command) -> CommandOutcome:
        match command.kind:
            case CommandKind.CANCEL:
                return self._cancel(book, command)
            case CommandKind.HOLD:
                shipment = book.shipment(command.shipment_id) if command.shipment_id else None
                return DONE.but(detail={"hold": book.hold(shipment, command.reason, _who(command)).id})
            case CommandKind.RELEASE:
                return _release(book, command)
            case CommandKind.RETRY:
                return self._retry(book, command)
            case _:
                return self._about_shipment(book, command)

    def _about_shipment(self, book: Book, command: Command) -> CommandOutcome:
        shipment = book.shipment(command.shipment_id or "")
        on_hold = book.is_on_hold(shipment)
        if no := refusal(command.kind, shipment.stage, leaving=shipment.leaving, on_hold=on_hold):
            return no
        match command.kind:
            case CommandKind.ACCEPT:
                self._fulfilment.accept(book, shipment, _who(command))
            case CommandKind.REJECT:
                self._fulfilment.re_source(book, shipment, command.reason, _who(command))
            case CommandKind.PACK:
                return self._pack(book, shipment, command)
            case _:
                self._fulfilment.hand_over(book, shipment, _who(command))
        return DONE

    def _pack(self, book: Book, shipment: Shipment, command: Command) -> CommandOutcome:
        if (box_id := command.payload.get("box")) and book.session.get(Box, box_id) is None:
            return refused("unknown_box", "There is no such box.")
        grams = command.payload.get("grams") or _weigh(book, shipment, command.payload.get("box"))
        if not grams:
            return refused("weight_unknown", "A unit has no weight on file: say the parcel's grams.")
        gone = self._fulfilment.pack(book, shipment, command.payload.get("box"), grams, _who(command))
        return refused(gone.code, gone.message) if gone else DONE

    def _cancel(self, book: Book, command: Command) -> CommandOutcome:
        if book.session.scalars(select(Claim.id).where(Claim.command_id == command.id)).first():
            return CANCELLED
        if command.payload.get("units"):
            return refused("whole_order_only", "Only a whole order can be cancelled yet.")
        live = [u for u in book.units if u.state is not UnitState.CANCELLED]
        if not live:
            return refused("already_cancelled", "Nothing of it is left to cancel.")
        open_ = [s for s in book.shipments if not is_ended(s)]
        left = {s.id for s in book.shipments if s.handed_over_at}
        gone, here = ([u.id for u in live if (u.shipment_id in left) is away] for away in (True, False))
        if no := cancel_refusal(gone, here):
            return no
        for unit in live:
            claim = Claim(
                id=mint("clm"), order_id=book.order.id, unit_id=unit.id, kind=ClaimKind.CANCEL, command_id=command.id,
                created_at=book.now,
            )  # fmt: skip
            book.session.add(claim)
            unit.state = UnitState.CANCELLED
        book.tell("order.cancel_requested", _who(command), reason=command.reason)
        self._fulfilment.cancel(book, open_, command.reason)
        if book.order.confirmed_at is None:
            book.order.verdict = Verdict.CANCELLED
        return CANCELLED

    def _retry(self, book: Book, command: Command) -> CommandOutcome:
        for case in (CaseType.STUCK_EFFECT, CaseType.LABEL_IMPOSSIBLE, CaseType.CAPTURE_REFUSED):
            book.close_cases(command.shipment_id or book.order.id, "retry", case)
        again = [s for s in book.shipments if s.stage is Stage.UNSOURCED and not s.leaving]
        sourced = sum(self._fulfilment.source_again(book, s) for s in again)
        book.tell("order.retried", _who(command), sourced=sourced)
        return DONE.but(detail={"sourced": sourced, "unsourced": len(again) - sourced})


def finish_cancels(book: Book) -> None:
    """Everything that was cancelled is undone: the waiting commands have their answer."""
    query = select(Command).where(
        Command.order_id == book.order.id, Command.kind == CommandKind.CANCEL, Command.outcome.is_(None)
    )
    for command in book.session.scalars(query):
        if book.session.scalars(select(Claim.id).where(Claim.command_id == command.id)).first():
            answer(command, CANCELLED, book)


def answer(command: Command, outcome: CommandOutcome, book: Book) -> None:
    """Keep what came of a command, and who asked it, for ever."""
    command.outcome, command.known_at = outcome.model_dump(), book.now
    row = Audit(
        at=book.now,
        role=command.role,
        actor=command.actor,
        action=command.kind.value,
        subject=command.shipment_id or command.order_id,
        reason=command.reason,
        outcome=outcome.code,
        detail={"command": command.id},
    )
    book.session.add(row)
    book.tell(f"command.{'done' if outcome.done else 'refused'}", _who(command), command=command.id, code=outcome.code)


def _who(command: Command) -> str:
    return f"{command.role.value}:{command.actor}"


def _release(book: Book, command: Command) -> CommandOutcome:
    wanted = command.payload.get("hold")
    hold = next((h for h in book.holds if h.id == wanted), None)
    if hold is None:
        return refused("no_such_hold", "That hold is not active.")
    hold.released_at, hold.released_by = book.now, _who(command)
    book.holds.remove(hold)
    for intent in () if book.holds else book.open_intents:
        intent.look_due = True  # much may have happened to it meanwhile
    book.tell("hold.released", _who(command), hold=hold.id, reason=hold.reason)
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
