"""What the tests of orders' lives add to the shared stack."""

from collections.abc import AsyncIterator

import pytest

from tests.stack import Stack


@pytest.fixture
async def worker(stack: Stack) -> AsyncIterator[None]:
    """A plain worker on every queue."""
    async with stack.worker():
        yield
