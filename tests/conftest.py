"""What tests of every kind share: one Postgres a session, a fresh migrated database a test, and a clock to move."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from cli.migrate import migrate
from cli.postgres import Postgres, Urls
from models.db import Database

_TEMPLATE = "template_shelfway"
_numbers = count(1)


class MovableClock:
    """The machine's time, moved by what a test has advanced it."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, span: timedelta) -> None:
        self._ahead += span


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        migrate(server.create_database(_TEMPLATE).owner)
        yield server


@pytest.fixture
def urls(postgres: Postgres) -> Iterator[Urls]:
    """A fresh, migrated database: as its owner, and as the application."""
    name = f"test_{next(_numbers)}"
    yield postgres.create_database(name, template=_TEMPLATE)
    postgres.drop_database(name)


@pytest.fixture
def owner_url(urls: Urls) -> str:
    return urls.owner


@pytest.fixture
def database(urls: Urls) -> Iterator[Database]:
    db = Database(urls.app)
    yield db
    db.dispose()


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).resolve().parent.parent
