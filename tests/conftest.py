"""What tests of every kind share: one Postgres a session, a fresh migrated database a test, a clock to move.

And one whole stack a session for those that want all of it: two in one process would share Temporal's environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.migrate import migrate
from cli.postgres import Postgres, Urls
from models.clock import SystemClock
from models.db import Database

if TYPE_CHECKING:
    from tests.shop import Shop
    from tests.stack import Stack

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


@contextmanager
def fresh_database(postgres: Postgres) -> Iterator[Urls]:
    """A migrated one under a name of its own: a module's fixture is set up again when its tests are not run in one go."""
    name = f"test_{next(_numbers)}"
    yield postgres.create_database(name, template=_TEMPLATE)
    postgres.drop_database(name)


@pytest.fixture
def urls(postgres: Postgres) -> Iterator[Urls]:
    """A fresh, migrated database: as its owner, and as the application."""
    with fresh_database(postgres) as urls:
        yield urls


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


@pytest.fixture(scope="session")
def stack(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything real, shared: each test brings its own goods and its own worker."""
    from tests.stack import stack_in

    urls = postgres.create_database("lives", template=_TEMPLATE)
    with stack_in(tmp_path_factory.mktemp("stack"), urls, SystemClock()) as stack:
        yield stack


@pytest.fixture(scope="session")
def stack_db(stack: Stack) -> Iterator[Database]:
    db = Database(stack.urls.app, pool_size=4)
    yield db
    db.dispose()


@pytest.fixture
def shop(stack_db: Database) -> Shop:
    from tests.shop import Shop

    return Shop(stack_db).open()
