"""Whether anything waits for the relay: one cheap statement, asked all the time and mostly answered with no."""

from dataclasses import dataclass

from sqlalchemy import bindparam, exists, select

from models.clock import Clock
from models.db import Database
from models.stores.inbox import is_due
from models.tables.messages import Event

_QUERY = select(
    exists().where(Event.relayed_at.is_(None)).label("events"), exists().where(*is_due(bindparam("now"))).label("facts")
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Which kind of work there is."""

    events: bool
    facts: bool


class Lookout:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._clock = clock

    def look(self) -> Waiting:
        """Raises where Postgres is away."""
        with self._engine.connect() as connection:
            return Waiting(*connection.execute(_QUERY, {"now": self._clock.now()}).one())
