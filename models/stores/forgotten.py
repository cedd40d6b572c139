"""Orders that vendors know as ours and Postgres does not: placed after the backup that it was restored from.

Nothing of one can be won back: there are no lines and no customer. Its money is let go, and a person is told.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.mint import mint
from models.stores.lost_runs import PATIENCE
from models.tables.messages import Case, InboxFact
from models.words import CaseType, Role

RESULT: Final = "forgotten_order"
_named: Final = InboxFact.payload["order"].astext


class ForgottenOrders:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def named(self, limit: int = 50) -> Mapping[str, Sequence[str]]:
        """By the order that Stripe names and nobody knows: its intents. One heard of just now may be about to be."""
        query = (
            select(_named, func.array_agg(InboxFact.subject.distinct()))
            .where(InboxFact.source == "stripe", InboxFact.order_id.is_(None), InboxFact.applied_at.is_(None))
            .where(_named.is_not(None), InboxFact.received_at < self._clock.now() - PATIENCE)
            .group_by(_named)
            .order_by(_named)
            .limit(limit)
        )
        return self._db.transaction(
            lambda session: {order_id: intents for order_id, intents in session.execute(query)}  # noqa: C416 (rows are no pairs)
        )

    def own(self, order_id: str, intents: Mapping[str, str]) -> bool:
        """A case for CS, once, with how each intent of it stands; what was heard of them ends in it. False: it was."""

        def work(session: Session) -> bool:
            now = self._clock.now()
            case = {"type": CaseType.UNKNOWN_FACT, "subject": order_id, "owner": Role.CS, "opened_at": now}
            detail = {"fact": RESULT, "intents": dict(intents)}
            opened = insert(Case).values(id=mint("case"), detail=detail, **case).on_conflict_do_nothing()
            new = session.scalar(opened.returning(Case.id)) is not None
            heard = update(InboxFact).where(_named == order_id, InboxFact.applied_at.is_(None))
            session.execute(heard.values(applied_at=now, result=RESULT))
            return new

        return self._db.transaction(work)
