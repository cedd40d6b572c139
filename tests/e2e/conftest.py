"""What tests of the whole system share: an API and a worker on the shared stack, and clients over real HTTP."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cli.apps import COMMANDS, App, said_ready
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


@contextmanager
def worker_process(stack: Stack, log: Path) -> Iterator[None]:
    """A worker as `up` starts it: a process of its own, so that the clients of a test do not take its time."""
    variables = {
        "SHELFWAY_DATABASE_URL": stack.urls.app,
        "SHELFWAY_PUBLIC_URL": stack.base,
        "SHELFWAY_STRIPE_API_BASE": stack.stripe.url,
        "SHELFWAY_EASYPOST_API_BASE": stack.easypost.url,
        "TEMPORAL_ADDRESS": stack.temporal.address,
        "PYTHONUNBUFFERED": "1",
    }
    worker = App("worker", COMMANDS["worker"], os.environ | variables, log, said_ready)
    worker.launch()
    try:
        worker.await_ready()
        yield
    finally:
        worker.stop()
