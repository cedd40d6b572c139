"""Engines and transactions. Whoever composes a process makes one `Database` and hands it to the stores."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from models.errors import ShelfwayError

T = TypeVar("T")


def is_passing(error: BaseException) -> bool:
    """Whether a later try may not meet it: one of ours that says so; Postgres away, busy, a lock not had in time."""
    if isinstance(error, ShelfwayError):
        return error.retryable
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout | InternalError)


class UnheardCommitError(OperationalError):
    """The connection was lost at a commit, and Postgres could not be asked since: it may have been done, or not."""


_RETRYABLE = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_TRIES = 3


class Database:
    """Transactions on one Postgres, READ COMMITTED, with limits on locks and statements.

    `lock_timeout` and `statement_timeout` are milliseconds; the api's are shorter than the workers'.
    """

    def __init__(
        self, url: str, *, pool_size: int = 20, lock_timeout: int = 2000, statement_timeout: int = 5000
    ) -> None:
        options = (
            f"-c lock_timeout={lock_timeout} -c statement_timeout={statement_timeout}"
            " -c idle_in_transaction_session_timeout=10000 -c timezone=UTC"
        )
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=3,
            pool_pre_ping=False,
            pool_use_lifo=True,
            hide_parameters=True,  # they hold people's data
            connect_args={"options": options, "connect_timeout": 3, "application_name": "shelfway"},
        )
        self._session = sessionmaker(self.engine, expire_on_commit=False, autoflush=True)

    def transaction(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction and commit; again, whole, after a deadlock or a lost connection.

        A lost connection may hide a commit, so `work` must do its effect once however often it runs: by operation id.
        Raises UnheardCommitError where that stays unknown.
        """
        unheard = False
        for tries_left in reversed(range(_TRIES)):
            committing = False
            try:
                with self._session.begin() as session:
                    result = work(session)
                    committing = True
            except DBAPIError as error:
                unheard |= committing and error.connection_invalidated
                state = getattr(error.orig, "sqlstate", None)
                if not tries_left or not (state in _RETRYABLE or error.connection_invalidated):
                    if unheard and is_passing(error):
                        raise UnheardCommitError(None, None, error.orig or error) from error
                    raise
                time.sleep(random.uniform(0.005, 0.05) * (_TRIES - tries_left))  # noqa: S311 (jitter, no secret)
            else:
                return result
        raise AssertionError("unreachable")

    def dispose(self) -> None:
        self.engine.dispose()
