"""Can this database serve? It is reached, and its schema is the one that this code was written for."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.orm import Session

from models.db import Database
from models.stores.failures import DATABASE_ERRORS, Failure, failure_of

Readiness = Literal["migrated", "not_migrated", "away"]


def readiness(database: Database) -> Readiness:
    """Never raises for a database that is away, busy or empty."""
    try:
        version = database.transaction(_version)
    except DATABASE_ERRORS as error:
        return "not_migrated" if failure_of(error) is Failure.BROKEN else "away"
    return "migrated" if version == _newest() else "not_migrated"


def _version(session: Session) -> str | None:
    return session.scalar(text("SELECT version_num FROM alembic_version"))


@lru_cache(maxsize=1)
def _newest() -> str | None:
    root = Path(__file__).resolve().parents[2]
    return ScriptDirectory(str(root / "migrations")).get_current_head()
