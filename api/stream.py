"""An order's events as they happen: server-sent events, read from Postgres ten times a second."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from api.schemas.orders import EventOut
from models.stores.failures import DATABASE_ERRORS
from models.stores.readers import OrderReader

_POLL: Final = 0.1  # seconds
_POLLS_TO_PING: Final = 150
_LAST: Final = "order.closed"
_BATCH: Final = 200


def is_stream(request: Request) -> bool:
    return "text/event-stream" in request.headers.get("accept", "")


async def stream_events(readers: OrderReader, order_id: str, after: int) -> Response:
    """The story after event number `after`; 204 when it is told to its end, which stops a browser from asking again."""
    order = (await run_in_threadpool(readers.order, order_id)).order
    if order.closed_at is not None and after >= order.last_event:
        return Response(status_code=204)
    return StreamingResponse(_events(readers, order_id, after), media_type="text/event-stream")


async def _events(readers: OrderReader, order_id: str, after: int) -> AsyncGenerator[bytes]:
    """Until the order is closed, the listener leaves, or the database does: then it asks again from its last event."""
    idle = 0
    while True:
        try:
            events = await run_in_threadpool(readers.events, order_id, after=after, limit=_BATCH)
        except DATABASE_ERRORS:
            return
        for event in events:
            after = event.seq
            shown = EventOut.of(event).model_dump_json()
            yield format_sse_event(data_str=shown, event=event.type, id=str(event.seq))
            if event.type == _LAST:
                return
        idle = 0 if events else idle + 1
        if idle >= _POLLS_TO_PING:
            idle = 0
            yield KEEPALIVE_COMMENT
        if len(events) < _BATCH:
            await asyncio.sleep(_POLL)
