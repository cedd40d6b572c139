"""Idempotency keys: what a caller's key was used for, and the answer. One key is one effect, however often it is sent.

A key's row is written in the transaction of the effect itself, so neither can be there without the other. `claim` and
`recall` compose in a caller's transaction; the rest are transactions.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.errors import ConflictError, InvalidError
from models.tables.messages import IdempotencyKey

BUSY_FOR: Final = timedelta(seconds=10)  # longer than a first call may take to answer


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A caller's key and the fingerprint of what it is used for. Keys of two callers never meet."""

    caller: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the key was used for. `status` and `answer` are None until an answer is final: look at `resource` anew."""

    resource: str
    status: int | None
    answer: dict[str, Any] | None


class KeyInFlightError(ConflictError):
    """The first call with this key is still being answered; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("The first request with this key is still being answered.", code="idempotency_key_in_flight")
        self.retry_after = retry_after


def fingerprint(method: str, path: str, body: object) -> str:
    """The same for two requests that mean the same; `body` is of JSON's types."""
    canonical = json.dumps([method, path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


class RequestStore:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def seen(self, key: RequestKey) -> Recalled | None:
        """`recall` as a transaction of its own: before anything is done for a request."""
        return self._db.transaction(lambda session: self.recall(session, key, self._clock.now()))

    def recall(self, session: Session, key: RequestKey, now: datetime) -> Recalled | None:
        """What this key did, or None when it is new.

        KeyInFlightError while the first call answers; InvalidError when it was used for something else. A call whose
        answer is not final (a 202, or a process that died) is taken over: the key is busy again while we look anew.
        """
        row = session.scalar(
            select(IdempotencyKey)
            .where(IdempotencyKey.caller == key.caller, IdempotencyKey.key == key.key)
            .with_for_update(key_share=True)
        )
        if row is None:
            return None
        if row.fingerprint != key.fingerprint:
            raise InvalidError(
                "This key was used for another request.", code="idempotency_key_reused", field="Idempotency-Key"
            )
        assert row.resource is not None
        if row.status is not None:
            return Recalled(row.resource, row.status, row.answer)
        if now < row.busy_until:
            raise KeyInFlightError(max(1, round((row.busy_until - now).total_seconds())))
        row.busy_until = now + BUSY_FOR
        return Recalled(row.resource, None, None)

    def claim(self, session: Session, key: RequestKey, resource: str, now: datetime) -> Recalled | None:
        """Take a new key for `resource`, or say what it did. It waits for a transaction that is just taking it.

        Doing it again for the same resource is no conflict: the commit before was ours, only not heard of.
        """
        taken = session.scalar(
            insert(IdempotencyKey)
            .values(
                caller=key.caller,
                key=key.key,
                fingerprint=key.fingerprint,
                resource=resource,
                busy_until=now + BUSY_FOR,
                created_at=now,
            )
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.resource)
        )
        if taken is not None:
            return None
        owner = session.scalar(
            select(IdempotencyKey.resource).where(IdempotencyKey.caller == key.caller, IdempotencyKey.key == key.key)
        )
        return Recalled(resource, None, None) if owner == resource else self.recall(session, key, now)

    def once(self, key: RequestKey, resource: str, work: Callable[[Session, datetime], None]) -> Recalled | None:
        """Do it under the caller's key, in one transaction; None when it was done now."""

        def transaction(session: Session) -> Recalled | None:
            now = self._clock.now()
            recalled = self.claim(session, key, resource, now)
            if recalled is None:
                work(session, now)
            return recalled

        return self._db.transaction(transaction)

    def answered(self, key: RequestKey, status: int, answer: dict[str, Any]) -> None:
        """Keep the final answer, to be given again."""
        self._set(key, status=status, answer=answer)

    def not_known_yet(self, key: RequestKey) -> None:
        """The answer was 202: whoever asks next looks anew."""
        self._set(key, busy_until=self._clock.now())

    def _set(self, key: RequestKey, **values: object) -> None:
        mine = (IdempotencyKey.caller == key.caller, IdempotencyKey.key == key.key)
        self._db.transaction(lambda session: session.execute(update(IdempotencyKey).where(*mine).values(**values)))
