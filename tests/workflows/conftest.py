"""One whole stack a session, shared by the tests of orders' lives; each test brings its own goods and its own worker."""

from collections.abc import AsyncIterator, Iterator

import pytest

from cli.postgres import Postgres
from models.clock import SystemClock
from models.db import Database
from tests.conftest import _TEMPLATE
from tests.shop import Shop
from tests.stack import Stack, stack_in


@pytest.fixture(scope="session")
def stack(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    urls = postgres.create_database("lives", template=_TEMPLATE)
    with stack_in(tmp_path_factory.mktemp("stack"), postgres, urls, SystemClock()) as stack:
        yield stack


@pytest.fixture(scope="session")
def stack_db(stack: Stack) -> Iterator[Database]:
    db = Database(stack.urls.app, pool_size=4)
    yield db
    db.dispose()


@pytest.fixture
def shop(stack_db: Database) -> Shop:
    return Shop(stack_db).open()


@pytest.fixture
async def worker(stack: Stack) -> AsyncIterator[None]:
    """A plain worker on every queue."""
    async with stack.worker():
        yield
