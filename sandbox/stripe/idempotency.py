"""Idempotency keys as Stripe defines them: the first answer is kept for a day and given again.

Answers are stored in the transaction of their effect, so a killed process knows them. It must not see answers that
came before execution began (bad parameters, no key, 409, 429): those are never stored.
"""

import hashlib
import json
from dataclasses import dataclass

from sandbox.asgi import Answer
from sandbox.ledger import Ledger
from sandbox.stripe.errors import Obj, StripeError, bad_request

KEPT = 24 * 3600  # seconds of the sandbox's clock
MAX_LENGTH = 255

IDEMPOTENCY_TABLE = """
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, path TEXT NOT NULL, params TEXT NOT NULL, created REAL NOT NULL, request_id TEXT NOT NULL,
    status INTEGER NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idempotency_created ON idempotency (created);
"""


@dataclass(frozen=True)
class Keyed:
    """A POST with a key; the scope of the key is the account, that is the ledger."""

    key: str
    path: str
    params: str

    @staticmethod
    def of(key: str, path: str, params: Obj) -> "Keyed":
        if len(key) > MAX_LENGTH:
            raise bad_request(f"Idempotency keys can be up to {MAX_LENGTH} characters long.", "idempotency_key_invalid")
        return Keyed(key, path, hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest())


def stored_answer(ledger: Ledger, keyed: Keyed, now: float) -> Answer | None:
    """The first answer under this key; raises StripeError when the request is another one."""
    row = ledger.one("SELECT * FROM idempotency WHERE key = ? AND created > ?", (keyed.key, now - KEPT))
    if row is None:
        return None
    advice = f"Try using a key other than '{keyed.key}' if you meant to execute a different request."
    if row["path"] != keyed.path:
        message = (
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{keyed.path}' vs '{row['path']}'). {advice}"
        )
        raise StripeError(400, message, kind="idempotency_error")
    if row["params"] != keyed.params:
        same = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        message = f"{same} {advice}"
        raise StripeError(400, message, kind="idempotency_error")
    headers = {"Idempotent-Replayed": "true", "Original-Request": row["request_id"]}
    return Answer(row["status"], row["body"], headers)


def store_answer(ledger: Ledger, keyed: Keyed, answer: Answer, request_id: str, now: float) -> None:
    ledger.execute(
        "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?, ?, ?)",
        (keyed.key, keyed.path, keyed.params, now, request_id, answer.status, answer.body),
    )


def prune(ledger: Ledger, now: float) -> None:
    ledger.execute("DELETE FROM idempotency WHERE created <= ?", (now - KEPT,))


def in_use_error(key: str) -> StripeError:
    message = (
        f"There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later."
    )
    return StripeError(409, message, kind="idempotency_error", code="idempotency_key_in_use")
