"""What follows from a physical fact: orders that lose units hear of it, a person of what our books cannot explain.

Part of the transaction that changed the stock. It locks no order: a loser's run takes its fact in when it comes to it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from models.mint import mint
from models.shelf import ShelfChange
from models.stock import Key
from models.tables.messages import Case, InboxFact
from models.words import CaseType, Role


def follow(session: Session, changes: Sequence[ShelfChange], operation: str, now: datetime) -> None:
    """Tell each order which of its units lost their holds; open a case where pieces were found that nobody had."""
    facts = [
        {
            "id": f"{operation}:{order_id}",
            "source": "shelfway",
            "kind": "stock.lost",
            "subject": operation,
            "order_id": order_id,
            "payload": {"units": units},
            "occurred_at": now,
            "received_at": now,
            "due_at": now,
        }
        for order_id, units in _lost_by_order(changes).items()
    ]
    if facts:
        session.execute(insert(InboxFact), facts)
    for change in changes:
        if change.found:
            _open_case(session, change.key, {"operation": operation, "found": change.found}, now)


def counted(session: Session, keys: Iterable[Key], actor: str, now: datetime) -> None:
    """A count answers the cases that ask for one."""
    asked = update(Case).where(
        Case.type == CaseType.STOCK_MISSING, Case.subject.in_([_subject(key) for key in keys]), Case.closed_at.is_(None)
    )
    session.execute(asked.values(closed_at=now, closed_by=actor, resolution="counted"))


def _lost_by_order(changes: Iterable[ShelfChange]) -> Mapping[str, list[str]]:
    lost: dict[str, list[str]] = {}
    for change in changes:
        for loser in change.losers:
            if loser.unit_id is not None:  # a cart has no units, and looks at what it holds when it is bought
                lost.setdefault(loser.holder, []).append(loser.unit_id)
    return lost


def _open_case(session: Session, key: Key, detail: dict[str, object], now: datetime) -> None:
    row = {"type": CaseType.STOCK_MISSING, "subject": _subject(key), "owner": Role.OPS, "detail": detail}
    opened = upsert(Case).values(id=mint("case"), **row, opened_at=now)
    session.execute(
        opened.on_conflict_do_update(
            index_elements=["type", "subject"], index_where=Case.closed_at.is_(None), set_={"reminded_at": now}
        )
    )


def _subject(key: Key) -> str:
    return f"{key[0]}@{key[1]}"
