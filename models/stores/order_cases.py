"""The cases of one order, under its lock: opened by whoever meets the trouble, closed by what its story tells."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from models.cases import Told, is_ended, may_end
from models.mint import mint
from models.tables.messages import Case
from models.tables.orders import Order
from models.words import CaseType, Role

# The type of the order's oldest open case.
EXCEPTION = (
    select(Case.type)
    .where(Case.order_id == Order.id, Case.closed_at.is_(None))
    .order_by(Case.opened_at)
    .limit(1)
    .scalar_subquery()
    .label("exception")
)


class OrderCases:
    def __init__(self, session: Session, order_id: str, now: datetime, exception: str) -> None:
        self._session = session
        self._order_id = order_id
        self._now = now
        self._exception: str | None = exception
        self.have_changed = False

    def open(self, kind: CaseType, subject: str, owner: Role, detail: Mapping[str, Any]) -> None:
        """One open case a cause: a second one only reminds."""
        row = {
            "id": mint("case"),
            "type": kind,
            "order_id": self._order_id,
            "subject": subject,
            "owner": owner,
            "detail": detail,
            "opened_at": self._now,
        }
        statement = upsert(Case).values(row)
        statement = statement.on_conflict_do_update(
            index_elements=["type", "subject"],
            index_where=Case.closed_at.is_(None),
            set_={"reminded_at": self._now},
        )
        self._session.execute(statement)
        self.forget()

    def forget(self) -> None:
        """One was opened or closed: look again."""
        self._exception, self.have_changed = None, True

    def ended_by(self, told: Told) -> list[Case]:
        """The open cases that it ends, closed."""
        if not may_end(told.event):
            return []
        ended = [case for case in self._opened() if is_ended(case.type, case.subject, case.detail, told)]
        for case in ended:
            case.closed_at, case.closed_by, case.resolution = self._now, "shelfway", told.event
        if ended:
            self.forget()
        return ended

    def is_open(self, kind: CaseType, subject: str) -> bool:
        return any((case.type, case.subject) == (kind, subject) for case in self._opened())

    def has_been(self, kind: CaseType, subject: str) -> bool:
        """Whether there is one, or was."""
        same = exists().where(Case.subject == subject, Case.type == kind)
        return bool(self._session.scalar(select(same)))

    def exception(self) -> str:
        """The type of the oldest open one; empty where all is well."""
        if self._exception is None:
            self._session.flush()
            query = select(EXCEPTION).select_from(Order).where(Order.id == self._order_id)
            self._exception = self._session.scalar(query) or ""
        return self._exception

    def _opened(self) -> list[Case]:
        if self._exception == "":
            return []
        query = select(Case).where(Case.order_id == self._order_id, Case.closed_at.is_(None))
        with self._session.no_autoflush:  # whoever tells something may have written half of it
            return [case for case in self._session.scalars(query) if case.closed_at is None]
