"""What came of a command: its row, the audit and the order's story say the same, once."""

from typing import TYPE_CHECKING

from sqlalchemy import select

from models.messages.commands import CommandOutcome
from models.refusals import CANCELLED
from models.tables.messages import Audit, Command
from models.tables.orders import Claim
from models.words import CommandKind

if TYPE_CHECKING:
    from models.stores.book import Book


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
    book.tell(f"command.{'done' if outcome.done else 'refused'}", who(command), command=command.id, code=outcome.code)


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
