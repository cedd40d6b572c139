"""What came of a command: its row, the audit and the order's story say the same, once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import select

from models.db import is_passing
from models.errors import ShelfwayError, frames_of
from models.messages.commands import CommandOutcome
from models.refusals import CANCELLED, refused
from models.tables.messages import Audit, Command
from models.tables.orders import Claim
from models.words import CaseType, CommandKind, Role

if TYPE_CHECKING:
    from models.stores.book import Book

T = TypeVar("T")


def done_or_refused(do: Callable[[], T], refuse: Callable[[Exception], T]) -> T:
    """Do it, in a transaction of its own; what breaks for good is refused in the next, so that nobody waits for ever.

    Raises what may pass: it is to be tried again.
    """
    try:
        return do()
    except Exception as error:
        if is_passing(error):
            raise
        broken = error
    return refuse(broken)


def give_up(command: Command, error: Exception, book: "Book") -> CommandOutcome:
    """Carrying it out broke, and always will: whoever asked gets an answer, and a fault of ours an owner."""
    if isinstance(error, ShelfwayError):
        no = refused(error.code, str(error))
    else:
        no = refused("command_failed", "It broke while it was carried out, and nothing was done. Ops know of it.")
        detail = {"command": command.kind.value, "error": type(error).__name__, "at": frames_of(error)}
        book.open_case(CaseType.SENSELESS_COMMAND, command.id, Role.OPS, **detail)
    answer(command, no, book)
    return no


def answer(command: Command, outcome: CommandOutcome, book: "Book") -> None:
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
    book.tell(
        f"command.{'done' if outcome.done else 'refused'}",
        who(command),
        command=command.id,
        code=outcome.code,
        shipment=command.shipment_id,
    )


def finish_cancels(book: "Book") -> None:
    """Everything that was cancelled is undone: the waiting commands have their answer."""
    query = select(Command).where(
        Command.order_id == book.order.id,
        Command.kind == CommandKind.CANCEL,
        Command.outcome.is_(None),
        select(Claim.id).where(Claim.command_id == Command.id).exists(),
    )
    for command in book.session.scalars(query):
        answer(command, CANCELLED, book)


def who(command: Command) -> str:
    """The one text for a person or key, in events: `store:demo-store-1`."""
    return f"{command.role.value}:{command.actor}"
