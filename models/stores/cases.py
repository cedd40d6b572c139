"""Cases, as people see and close them. They are opened where something goes wrong, in that transaction."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.errors import ConflictError, NotFoundError
from models.stores.book import Book
from models.stores.pages import Page, cursor_of, from_place, page_of
from models.tables.messages import Audit, Case
from models.words import CaseType, Role


class CaseStore:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def cases(
        self,
        *,
        open_only: bool,
        kind: CaseType | None,
        order_id: str | None,
        cursor: str | None,
        limit: int,
    ) -> Page[Case]:
        """Oldest first, by (time, id): the longest open is the most urgent."""
        query = from_place(select(Case), Case.opened_at, Case.id, cursor, limit)
        if open_only:
            query = query.where(Case.closed_at.is_(None))
        if kind is not None:
            query = query.where(Case.type == kind)
        if order_id is not None:
            query = query.where(Case.order_id == order_id)

        def work(session: Session) -> Page[Case]:
            found = session.scalars(query).all()
            return page_of(found, limit, [cursor_of(each.opened_at, each.id) for each in found])

        return self._db.transaction(work)

    def close(self, case_id: str, *, role: Role, actor: str, resolution: str) -> Case:
        """Close it for good, with an audit row. ConflictError `already_closed` when somebody was first."""

        def work(session: Session) -> Case:
            now = self._clock.now()
            order_id = session.scalar(select(Case.order_id).where(Case.id == case_id))
            book = Book.open(session, order_id, now) if order_id else None  # an order is locked before what is its
            case = session.get(Case, case_id, with_for_update={"key_share": True})
            if case is None:
                raise NotFoundError("No such case.")
            if case.closed_at is not None:
                raise ConflictError("This case is closed already.", code="already_closed")
            by = f"{role.value}:{actor}"
            case.closed_at, case.closed_by, case.resolution = now, by, resolution
            detail = {"type": case.type.value, "subject": case.subject, "resolution": resolution}
            audit = {"at": now, "role": role, "actor": actor, "action": "case.close", "subject": case_id}
            session.add(Audit(**audit, outcome="closed", detail=detail))
            if book:
                book.closed_by_hand(case, by)
                book.settle()
            return case

        return self._db.transaction(work)
