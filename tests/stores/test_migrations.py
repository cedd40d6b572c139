"""The schema that migrations make is the schema that the tables say."""

import re

import pytest
from alembic import command
from sqlalchemy import Enum, create_engine, text
from sqlalchemy.exc import ProgrammingError

from cli.migrate import config_for
from models.db import Database
from models.tables.base import Base


def test_autogenerate_is_empty_when_migrated(owner_url: str) -> None:
    command.check(config_for(owner_url))


def test_each_closed_vocabulary_is_kept_word_for_word_when_migrated(owner_url: str) -> None:
    """Autogenerate does not compare CHECKs: a word that is new, or gone, needs a migration."""
    kept = (
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    )
    engine = create_engine(owner_url)
    with engine.connect() as connection:
        found = {name: set(re.findall(r"'(\w+)'::", rule)) for name, rule in connection.execute(text(kept))}
    engine.dispose()
    wanted = {
        f"ck_{table.name}_{column.type.name}": set(column.type.enums)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Enum)
    }
    assert {name: found.get(name) for name in wanted} == wanted


def test_schema_is_gone_when_downgraded(owner_url: str) -> None:
    command.downgrade(config_for(owner_url), "base")
    engine = create_engine(owner_url)
    with engine.connect() as connection:
        left = connection.execute(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')")
        ).scalars()
        assert set(left) == {"alembic_version"}
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET outcome = 'x'",
        "DELETE FROM audit",
        "UPDATE movements SET quantity = 1",
        "DELETE FROM movements",
        "UPDATE events SET type = 'x'",
        "DELETE FROM events",
        "DROP TABLE audit",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
def test_refused_when_the_application_changes_a_ledger(database: Database, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        database.transaction(lambda session: session.execute(text(statement)))


def test_allowed_when_the_relay_marks_an_event(database: Database) -> None:
    database.transaction(lambda session: session.execute(text("UPDATE events SET relayed_at = now()")))
