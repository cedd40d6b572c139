"""Who leads: whoever holds one advisory lock of Postgres. Nothing else is decided here."""

from typing import Final

from sqlalchemy import Connection, Engine, text

RELAY_LOCK: Final = 7_042_001  # the relay's number among this database's advisory locks


class Leadership:
    """The lock lives and dies with one connection, so a leader that was killed is replaced at once."""

    def __init__(self, engine: Engine, lock: int = RELAY_LOCK) -> None:
        self._engine = engine
        self._lock = lock
        self._connection: Connection | None = None

    def held(self) -> bool:
        """Whether it is ours, taking it if it is free. Raises where Postgres cannot be reached: then it is not ours."""
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
            return self._take()
        except Exception:
            self.give_up()
            raise

    def _take(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            taken = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": self._lock}))
        except Exception:
            connection.close()
            raise
        if taken:
            self._connection = connection
        else:
            connection.close()
        return taken

    def give_up(self) -> None:
        """Let another lead. The connection is closed, not returned to the pool: it would keep the lock."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
