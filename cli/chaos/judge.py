"""What came of it: all that was acknowledged is there and has ended, nothing else is, and the oracle is content."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session
from temporalio.client import Client

from cli.chaos.book import Book
from cli.check import check
from cli.env import Places
from models.db import Database
from models.tables.messages import Command, IdempotencyKey
from models.tables.orders import Order
from models.tables.returns import Return
from models.words import ReturnStage
from workflows.client import ShelfwayPlugin

DRAIN: Final = 240.0  # seconds until everything has ended, once nothing goes wrong any more
_LOOK: Final = 0.5
_LAST_WORDS: Final = 10.0  # a webhook on its way may still set things right


def drained(places: Places, seconds: float = DRAIN) -> bool:
    """Waits until every order, return and command has ended; False when they have not in time."""
    db = Database(places.database_url, pool_size=1)
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            if not db.transaction(_open):
                return True
            time.sleep(_LOOK)
        return False
    finally:
        db.dispose()


def _open(session: Session) -> bool:
    unended = (
        select(Order.id).where(Order.closed_at.is_(None)),
        select(Return.id).where(Return.closed_at.is_(None)),
        select(Command.id).where(Command.outcome.is_(None)),
    )
    return any(session.scalar(query.limit(1)) for query in unended)


def judge(places: Places, book: Book) -> list[str]:
    """What is wrong, in words; nothing when all is well."""
    db = Database(places.database_url, pool_size=1, statement_timeout=60_000)
    try:
        wrong = [*book.wrong, *db.transaction(lambda session: _promises(session, book))]
    finally:
        db.dispose()
    return wrong + asyncio.run(_oracle(places))


def ends(places: Places) -> Mapping[str, int]:
    """Orders by status."""
    db = Database(places.database_url, pool_size=1)
    try:
        return Counter(status.value for status in db.transaction(lambda s: s.scalars(select(Order.status)).all()))
    finally:
        db.dispose()


def _promises(session: Session, book: Book) -> list[str]:
    keys = set(session.scalars(select(IdempotencyKey.key)))
    unkept = [
        f"key {key} was answered by 503 alone and something was recorded" for key in book.unrecorded if key in keys
    ]
    return [*_orders(session, book), *_commands(session, book), *_returns(session, book), *unkept]


def _orders(session: Session, book: Book) -> Iterator[str]:
    found = {order.id: order for order in session.scalars(select(Order))}
    for order_id in found.keys() - book.orders.keys():
        yield f"order {order_id} is there and nobody was told of it"
    for order_id, (story, statuses) in book.orders.items():
        order = found.get(order_id)
        if order is None:
            yield f"order {order_id} ({story}) was acknowledged and is lost"
        elif order.closed_at is None:
            yield f"order {order_id} ({story}) has not ended: {order.status}"
        elif statuses and order.status not in statuses:
            yield f"order {order_id} ({story}) ended as {order.status}, not as {' or '.join(statuses)}"


def _commands(session: Session, book: Book) -> Iterator[str]:
    found = {row.id: row.outcome for row in session.execute(select(Command.id, Command.outcome))}
    for command_id, (path, status) in book.commands.items():
        if command_id not in found:
            yield f"{path}: {command_id} was acknowledged and is lost"
        elif not (outcome := found[command_id]):
            yield f"{path}: {command_id} was acknowledged and has no outcome"
        elif status == 200 and not outcome.get("done"):
            yield f"{path}: {command_id} was answered as done and is {outcome.get('code')}"


def _returns(session: Session, book: Book) -> Iterator[str]:
    found = {row.id: row.stage for row in session.execute(select(Return.id, Return.stage))}
    for return_id in book.returns:
        if return_id not in found:
            yield f"return {return_id} was acknowledged and is lost"
        elif found[return_id] is not ReturnStage.RECEIVED:
            yield f"return {return_id} was received and is {found[return_id]}"


async def _oracle(places: Places) -> list[str]:
    """Everything that does not agree, once it has had time to; and runs that are ill, returns' too."""
    assert places.temporal_address is not None
    client = await Client.connect(places.temporal_address, plugins=[ShelfwayPlugin()])
    deadline = time.monotonic() + _LAST_WORDS
    while findings := await check(places.database_url, places.stripe_url, places.easypost_url, client):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(_LOOK)
    ill = 'TemporalReportedProblems IS NOT NULL OR ExecutionStatus IN ("Failed", "Terminated", "TimedOut")'
    sick = [run async for run in client.list_workflows(ill)]
    return [*map(str, findings), *(f"run {run.id} ({run.workflow_type}) is ill: {run.status}" for run in sick)]
