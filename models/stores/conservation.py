"""Conservation in Postgres: nothing comes from nowhere and nothing is lost. It looks, says what is wrong, and changes
nothing. What Stripe, the carrier and Temporal say is laid beside it elsewhere (`cli.check`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.conservation import Checked, Finding, Motion
from models.db import Database
from models.stores.conservation_books import OrderBooks, read_books
from models.stores.conservation_motion import motion
from models.stores.conservation_rules import RULES, Rule


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything as of one instant: the checks of the rows, the rows for others to compare, and what moved then."""

    checked: tuple[Checked, ...]
    books: Mapping[str, OrderBooks]
    motion: Motion


class Conservation:
    """Reads in one snapshot (REPEATABLE READ, read only) and locks nothing, so it may run beside everything else."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def snapshot(self, now: datetime, orders: Sequence[str] | None = None) -> Snapshot:
        """All of it, or what is about these orders."""
        some = None if orders is None else list(orders)

        def work(session: Session) -> Snapshot:
            _only_look(session)
            books = read_books(session, some)
            checked = [_checked(session, rule, some) for rule in RULES]
            return Snapshot((*checked, _statuses(books)), books, motion(session, some, now))

        return self._db.transaction(work)

    def motion(self, now: datetime, orders: Sequence[str] | None = None) -> Motion:
        """Which orders are between two states now."""

        def work(session: Session) -> Motion:
            _only_look(session)
            return motion(session, None if orders is None else list(orders), now)

        return self._db.transaction(work)


def _only_look(session: Session) -> None:
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


def _checked(session: Session, rule: Rule, orders: list[str] | None) -> Checked:
    within = "" if orders is None else f" WHERE {rule.scope}"
    given = {"orders": orders}
    looked_at = session.execute(text(f"SELECT count(*) FROM ({rule.population}) x{within}"), given).scalar_one()  # noqa: S608
    wrong = session.execute(text(f"SELECT * FROM ({rule.wrong}) x{within}"), given)  # noqa: S608
    return rule.checked(int(looked_at), [dict(row) for row in wrong.mappings()])


def _statuses(books: Mapping[str, OrderBooks]) -> Checked:
    findings = tuple(
        Finding(
            "O7",
            order.id,
            f"the status is {order.status}, its units and standing give {order.computed_status}",
            order.id,
        )
        for order in books.values()
        if order.status is not order.computed_status
    )
    return Checked("O7", "orders: the status is what the units and the standing give", len(books), findings)
