"""The administration of a sandbox under /_admin: clock, faults, settings, webhooks, ledger, log of requests.

A documented tool for tests and people (sandbox/README.md); no vendor has it. It must not need credentials, since
a sandbox listens on the loopback alone, and it must not know any vendor's objects: the ledger's view is given.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from sandbox.clock import Clock
from sandbox.delivery import Deliveries, Endpoint
from sandbox.faults import FaultError, Faults, parse_fault
from sandbox.journal import logged_requests
from sandbox.ledger import Ledger
from sandbox.settings import SettingError, Settings

LedgerView = Callable[[Mapping[str, str]], object]


@dataclass(frozen=True)
class Admin:
    """What the endpoints work on; `view(query)` is the ledger as JSON for an oracle."""

    name: str
    ledger: Ledger
    clock: Clock
    faults: Faults
    settings: Settings
    deliveries: Deliveries
    view: LedgerView

    def routes(self) -> list[BaseRoute]:
        return [
            Mount(
                "/_admin",
                routes=[
                    Route("/health", self._health),
                    Route("/clock", self._read_clock),
                    Route("/clock", self._move_clock, methods=["POST"]),
                    Route("/faults", self._list_faults),
                    Route("/faults", self._arm_fault, methods=["POST"]),
                    Route("/faults", self._clear_faults, methods=["DELETE"]),
                    Route("/faults/{id}", self._clear_faults, methods=["DELETE"]),
                    Route("/settings", self._read_settings),
                    Route("/settings", self._change_settings, methods=["POST"]),
                    Route("/ledger", self._read_ledger),
                    Route("/requests", self._read_requests),
                    Route("/webhooks", self._read_webhooks),
                    Route("/webhooks/redeliver", self._redeliver, methods=["POST"]),
                    Route("/endpoints", self._read_endpoints),
                    Route("/endpoints", self._put_endpoint, methods=["POST"]),
                    Route("/endpoints/{id}", self._remove_endpoint, methods=["DELETE"]),
                ],
            )
        ]

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "sandbox": self.name, "now": self.clock.now()})

    async def _read_clock(self, _: Request) -> Response:
        return JSONResponse({"now": self.clock.now(), "offset": self.clock.offset})

    async def _move_clock(self, request: Request) -> Response:
        match await _json(request):
            case {"advance": int() | float() as seconds}:
                self.clock.advance(seconds)
            case {"now": int() | float() as epoch}:
                self.clock.set(epoch)
            case _:
                return _bad('send {"advance": seconds} or {"now": epoch seconds}')
        return await self._read_clock(request)

    async def _list_faults(self, _: Request) -> Response:
        return JSONResponse({"data": self.faults.list()})

    async def _arm_fault(self, request: Request) -> Response:
        try:
            fault = self.faults.arm(parse_fault(await _json(request)))
        except FaultError as error:
            return _bad(str(error))
        return JSONResponse(asdict(fault), 201)

    async def _clear_faults(self, request: Request) -> Response:
        self.faults.clear(request.path_params.get("id"))
        return Response(status_code=204)

    async def _read_settings(self, _: Request) -> Response:
        return JSONResponse(self.settings.all())

    async def _change_settings(self, request: Request) -> Response:
        changes = await _json(request)
        if not isinstance(changes, dict):
            return _bad("send an object of settings")
        try:
            self.settings.update(changes)
        except SettingError as error:
            return _bad(str(error))
        self.deliveries.wake()
        return await self._read_settings(request)

    async def _read_ledger(self, request: Request) -> Response:
        return JSONResponse(self.view(request.query_params))

    async def _read_requests(self, request: Request) -> Response:
        after = int(request.query_params.get("after", 0))
        return JSONResponse({"data": logged_requests(self.ledger, after)})

    async def _read_webhooks(self, request: Request) -> Response:
        query = request.query_params
        event = query.get("event")
        log = self.deliveries.log(event, int(query.get("limit", 100)))
        return JSONResponse({"pending": self.deliveries.pending(event), "data": log})

    async def _redeliver(self, request: Request) -> Response:
        match await _json(request):
            case {"event": str() as event}:
                count = self.deliveries.redeliver(event=event)
            case {"id": int() as delivery}:
                count = self.deliveries.redeliver(delivery=delivery)
            case {"status": str() as status}:
                count = self.deliveries.redeliver(status=status)
            case _:
                return _bad('send {"event": id}, {"id": delivery} or {"status": "dropped"}')
        return JSONResponse({"redelivered": count})

    async def _read_endpoints(self, _: Request) -> Response:
        return JSONResponse({"data": [asdict(endpoint) for endpoint in self.deliveries.endpoints()]})

    async def _put_endpoint(self, request: Request) -> Response:
        match await _json(request):
            case {"url": str() as url, "secret": str() as secret, **rest}:
                endpoint = Endpoint(str(rest.get("id", "admin")), url, secret, created=self.clock.now())
            case _:
                return _bad('send {"url": ..., "secret": ...} and, for more than one endpoint, an "id"')
        self.deliveries.put_endpoint(endpoint)
        return JSONResponse(asdict(endpoint), 201)

    async def _remove_endpoint(self, request: Request) -> Response:
        found = self.deliveries.remove_endpoint(request.path_params["id"])
        return Response(status_code=204 if found else 404)


async def _json(request: Request) -> object:
    try:
        return await request.json()
    except ValueError:
        return None


def _bad(message: str) -> Response:
    return JSONResponse({"error": message}, 400)
