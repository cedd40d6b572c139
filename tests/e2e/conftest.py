"""What tests of the whole system share: an API and a worker on the shared stack, and clients over real HTTP."""

import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cli.apps import COMMANDS, App, said_ready
from tests.stack import KEYS, Stack

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
def process(stack: Stack, name: str, argv: Sequence[str], log: Path, ready: Callable[[App], bool]) -> Iterator[App]:
    """One of our processes as `up` starts it, on this stack."""
    variables = {
        "SHELFWAY_DATABASE_URL": stack.urls.app,
        "SHELFWAY_PUBLIC_URL": stack.base,
        "SHELFWAY_STRIPE_API_BASE": stack.stripe.url,
        "SHELFWAY_EASYPOST_API_BASE": stack.easypost.url,
        "SHELFWAY_API_KEYS": json.dumps(KEYS),
        "TEMPORAL_ADDRESS": stack.temporal.address,
        "PYTHONUNBUFFERED": "1",
    }
    app = App(name, argv, os.environ | variables, log, ready)
    app.launch()
    try:
        app.await_ready()
        yield app
    finally:
        app.stop()


@contextmanager
def worker_process(stack: Stack, log: Path) -> Iterator[App]:
    """A worker as `up` starts it: a process of its own, so that the clients of a test do not take its time."""
    with process(stack, "worker", COMMANDS["worker"], log, said_ready) as worker:
        yield worker


def kill(app: App) -> None:
    """As `kill -9` does, and start it again."""
    app.process.kill()
    app.launch()
    app.await_ready()
