"""What tests of the whole system share: an API and a worker on the shared stack, and clients over real HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.stack import Stack

AT_ONCE = 50


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """The API with a worker behind it."""
    async with stack.worker(), stack.api() as client:
        yield client


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the served API, over real HTTP, with so many connections at most."""
    headers = {"Authorization": "Bearer test-admin"}
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=stack.base, headers=headers, limits=limits, timeout=60) as client:
        yield client
