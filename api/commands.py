"""A command's way: recorded before it is sent, sent before it is answered; not heard in time is a 202.

503 is said only before the row is written. From there on the relay sends it again until its outcome is known.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from api.checkout import Answer
from api.deps import (
    CommandsDep,
    OrdersDep,
    ReadersDep,
    RequestIdDep,
    RequestsDep,
    ReturnReaderDep,
    ReturnsDep,
    ShipmentsDep,
    TemporalDep,
)
from api.errors import ProblemError
from api.idempotency import REPLAYED, replay
from api.runs import Runs
from api.schemas.commands import CommandOut, OutcomeOut
from api.schemas.orders import OrderOut
from api.schemas.returns import ReturnOut
from api.schemas.shipments import ShipmentOut
from models.messages.commands import CommandOutcome
from models.stores.commands import CommandStore, NewCommand, Recorded
from models.stores.failures import DATABASE_ERRORS
from models.stores.orders import OrderStore
from models.stores.readers import OrderReader
from models.stores.requests import Recalled, RequestKey, RequestStore
from models.stores.return_reader import ReturnReader
from models.stores.returns import ReturnStore
from models.stores.shipment_reader import ShipmentReader
from models.words import CommandKind

OUTCOME_WITHIN: Final = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Commands:
    """One request's way to give a command."""

    store: CommandStore
    requests: RequestStore
    ledger: OrderStore
    orders: OrderReader
    shipments: ShipmentReader
    returns: ReturnStore
    return_reader: ReturnReader
    runs: Runs
    request_id: str

    async def give(self, new: NewCommand, key: RequestKey | None) -> JSONResponse:
        """Carry `new` out and answer 200 with what it changed, 409 with why not, or 202."""
        if not await self.runs.answers():
            return await self._not_now(key)
        recorded = await run_in_threadpool(self.store.record, new, key)
        if isinstance(recorded, Recorded):
            return (await self._send(recorded, key)).response()
        return await self._again(recorded, key)

    async def _not_now(self, key: RequestKey | None) -> JSONResponse:
        """Temporal is away: a known key has its answer all the same, a new command has a 503."""
        if key is not None and (recalled := await run_in_threadpool(self.requests.seen, key)):
            return await self._again(recalled, key)
        raise ProblemError(
            503,
            "temporal_away",
            "Orders cannot hear commands now. Nothing was recorded: try again.",
            headers={"Retry-After": "2"},
        )

    async def _again(self, recalled: Recalled, key: RequestKey | None) -> JSONResponse:
        """The same key and body once more: the answer it has, or what has become of it meanwhile."""
        recorded = await run_in_threadpool(self.store.recorded, recalled.resource)
        answer = replay(recalled, _location(recorded))
        return answer or (await self._send(recorded, key)).response(REPLAYED)

    async def _send(self, recorded: Recorded, key: RequestKey | None) -> Answer:
        """Ask the run and wait for its outcome; from here on every failure to hear is a 202."""
        try:
            if recorded.outcome is not None:
                return await run_in_threadpool(self._answer, recorded, recorded.outcome, key)
            if outcome := await self._ask(recorded):
                await run_in_threadpool(self.store.heard, recorded.asked.command_id)
            return await run_in_threadpool(self._answer, recorded, outcome, key)
        except DATABASE_ERRORS:
            return _not_heard(recorded)

    async def _ask(self, recorded: Recorded) -> CommandOutcome | None:
        """The run's answer; Postgres' own where the run is over."""
        asked = recorded.asked
        if recorded.closed and asked.return_id:
            return (await run_in_threadpool(self.returns.obey, asked.return_id, asked)).outcome
        if recorded.closed:
            return (await run_in_threadpool(self.ledger.obey, recorded.order_id, asked)).outcome
        return await self.runs.command(recorded.order_id, asked, OUTCOME_WITHIN)

    def _answer(self, recorded: Recorded, outcome: CommandOutcome | None, key: RequestKey | None) -> Answer:
        answer = self._worded(recorded, outcome)
        if key is not None and answer.final:
            self.requests.answered(key, answer.status, answer.body)
        elif key is not None:
            self.requests.not_known_yet(key)
        return answer

    def _worded(self, recorded: Recorded, outcome: CommandOutcome | None) -> Answer:
        asked = recorded.asked
        if outcome is None:
            return _not_heard(recorded)
        if not outcome.done:
            problem = ProblemError(
                409,
                outcome.code,
                outcome.message or "The order's state forbids it.",
                members={
                    **outcome.detail,
                    "command": asked.command_id,
                    "order": recorded.order_id,
                    "shipment": asked.shipment_id,
                },
            )
            return Answer(409, problem.body(self.request_id), _location(recorded))
        body = CommandOut(
            id=asked.command_id,
            kind=asked.kind,
            state="done",
            outcome=OutcomeOut.model_validate(outcome),
            order=None if asked.shipment_id or asked.return_id else OrderOut.of(self.orders.order(recorded.order_id)),
            shipment=ShipmentOut.of(self.shipments.shipment(asked.shipment_id, scope=None))
            if asked.shipment_id
            else None,
            returned=ReturnOut.of(self.return_reader.one(asked.return_id)) if asked.return_id else None,
        )
        return Answer(200, body.model_dump(mode="json"), _location(recorded))


def _location(recorded: Recorded) -> str:
    asked = recorded.asked
    if asked.return_id:
        return f"/v1/returns/{asked.return_id}"
    return f"/v1/shipments/{asked.shipment_id}" if asked.shipment_id else f"/v1/orders/{recorded.order_id}"


def _not_heard(recorded: Recorded) -> Answer:
    asked = recorded.asked
    body = CommandOut(
        id=asked.command_id,
        kind=asked.kind,
        state="cancelling" if asked.kind is CommandKind.CANCEL else "pending",
        outcome=None,
    )
    return Answer(202, body.model_dump(mode="json"), _location(recorded))


async def _commands(
    *,
    store: CommandsDep,
    requests: RequestsDep,
    ledger: OrdersDep,
    orders: ReadersDep,
    shipments: ShipmentsDep,
    returns: ReturnsDep,
    return_reader: ReturnReaderDep,
    runs: TemporalDep,
    request_id: RequestIdDep,
) -> Commands:
    return Commands(store, requests, ledger, orders, shipments, returns, return_reader, runs, request_id)


CommandsFlowDep = Annotated[Commands, Depends(_commands)]
