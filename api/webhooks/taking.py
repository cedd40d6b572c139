"""What both vendors' webhook routes share: where facts are kept, and the answer to a body that makes no sense."""

from typing import Annotated

from fastapi import Depends

from api.deps import ClockDep, DatabaseDep
from api.errors import ProblemError
from models.stores.inbox import InboxStore


async def _inbox(database: DatabaseDep, clock: ClockDep) -> InboxStore:
    return InboxStore(database, clock)


InboxDep = Annotated[InboxStore, Depends(_inbox)]


def malformed() -> ProblemError:
    return ProblemError(400, "malformed", "The body is signed, but it is no event as its sender describes them.")
