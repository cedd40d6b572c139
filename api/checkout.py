"""From an accepted order to the caller's answer: the verdict as it now is, or 202. Nothing after it is a 503."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from api.deps import OrdersDep, ReadersDep, RequestsDep, TemporalDep
from api.errors import PROBLEM_JSON, ProblemError
from api.runs import Runs
from api.schemas.orders import OrderOut, refusal_of
from models.stores.failures import DATABASE_ERRORS
from models.stores.orders import OrderStore
from models.stores.readers import OrderReader, OrderRecord
from models.stores.requests import RequestKey, RequestStore
from models.words import Verdict

VERDICT_WITHIN: Final = 2.0  # seconds

_REFUSED: Final[dict[Verdict, tuple[int, str]]] = {
    Verdict.DECLINED: (402, "The card was declined. Another card is a new order with a new key."),
    Verdict.OUT_OF_STOCK: (409, "Not all of it is in stock: see lines."),
    Verdict.INVALID_ADDRESS: (422, "Nothing can be delivered to this address."),
    Verdict.EXPIRED: (409, "The order was not confirmed in time."),
    Verdict.CANCELLED: (409, "The order was cancelled before it was confirmed."),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """`final` answers are given again under the same key; the others are looked at anew."""

    status: int
    body: dict[str, Any]
    location: str

    @property
    def final(self) -> bool:
        return self.status != 202

    def response(self, headers: dict[str, str] | None = None) -> JSONResponse:
        media_type = PROBLEM_JSON if self.status >= 400 else "application/json"
        return JSONResponse(
            self.body, self.status, {"Location": self.location, **(headers or {})}, media_type=media_type
        )


@dataclass(frozen=True, slots=True)
class Checkouts:
    """Asks for an order's run and words what is known of it."""

    orders: OrderStore
    reader: OrderReader
    requests: RequestStore
    runs: Runs

    async def answer(self, order_id: str, key: RequestKey, request_id: str) -> Answer:
        """Start the order's run (again does nothing), wait for the verdict, keep the answer under the key."""
        try:
            order = await run_in_threadpool(self.orders.run_input, order_id)
            await self.runs.check_out(order, VERDICT_WITHIN)
            return await run_in_threadpool(self.known, order_id, key, request_id)
        except DATABASE_ERRORS:
            return _not_known(order_id)

    async def again(self, order_id: str, key: RequestKey, request_id: str) -> Answer:
        """The same request once more, when its first answer was none: the verdict as it now is, or another wait."""
        answer = await run_in_threadpool(self.known, order_id, key, request_id)
        return answer if answer.final else await self.answer(order_id, key, request_id)

    def known(self, order_id: str, key: RequestKey, request_id: str) -> Answer:
        """What Postgres knows now, kept under the key."""
        answer = _worded(self.reader.order(order_id), request_id)
        if answer.final:
            self.requests.answered(key, answer.status, answer.body)
        else:
            self.requests.not_known_yet(key)
        return answer


async def _checkouts(orders: OrdersDep, reader: ReadersDep, requests: RequestsDep, runs: TemporalDep) -> Checkouts:
    return Checkouts(orders, reader, requests, runs)


CheckoutsDep = Annotated[Checkouts, Depends(_checkouts)]


def _worded(record: OrderRecord, request_id: str) -> Answer:
    order = record.order
    location = f"/v1/orders/{order.id}"
    if order.verdict is not None and order.verdict in _REFUSED:
        status, detail = _REFUSED[order.verdict]
        problem = ProblemError(
            status, order.verdict.value, detail, members={"order": order.id, **(refusal_of(order) or {})}
        )
        return Answer(status, problem.body(request_id), location)
    status = 202 if order.verdict is None else 201
    return Answer(status, OrderOut.of(record).model_dump(mode="json"), location)


def _not_known(order_id: str) -> Answer:
    location = f"/v1/orders/{order_id}"
    return Answer(202, {"object": "order", "id": order_id, "status": "pending", "url": location}, location)
