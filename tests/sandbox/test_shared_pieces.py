"""Clock, faults, delivery and admin around a toy app: what both sandboxes stand on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.admin import Admin
from sandbox.asgi import ConnectionDroppedError, Message
from sandbox.clock import Clock
from sandbox.delivery import DELIVERY_TABLES, Deliveries, Endpoint
from sandbox.faults import FaultMiddleware, Faults
from sandbox.journal import JOURNAL_TABLE, Journal
from sandbox.ledger import Ledger
from sandbox.settings import Settings
from tests.sandbox.processes import Receiver, wait_until


class Toy:
    """An app whose only effect is a count."""

    def __init__(self, path: Path | str) -> None:
        self.count = 0
        self.ledger = Ledger(path, DELIVERY_TABLES + JOURNAL_TABLE)
        self.clock = Clock(self.ledger)
        self.faults = Faults()
        self.settings = Settings(self.ledger, {"fast": False})
        self.deliveries = Deliveries(self.ledger, self.settings, lambda secret, _: {"X-Signed": secret})
        admin = Admin(
            "toy", self.ledger, self.clock, self.faults, self.settings, self.deliveries, lambda _: {"count": self.count}
        )
        app = Starlette(routes=[Route("/count", self._effect, methods=["POST"]), *admin.routes()])
        journal = Journal(app, self.ledger, self.settings, self.clock)
        self.app = FaultMiddleware(journal, self.faults, lambda status, message: {"status": status, "message": message})

    async def _effect(self, _: Request) -> Response:
        self.count += 1
        return JSONResponse({"count": self.count})

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://toy")


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    it = Toy(":memory:")
    yield it
    it.ledger.close()


async def arm(client: httpx.AsyncClient, **fault: object) -> None:
    assert (await client.post("/_admin/faults", json=fault)).status_code == 201


@pytest.mark.parametrize(
    ("fault", "status", "effects"),
    [
        ({"kind": "fail_before"}, 500, 0),
        ({"kind": "fail_after"}, 500, 1),
        ({"kind": "error", "status": 429, "headers": {"Retry-After": "1"}}, 429, 0),
        ({"kind": "error", "status": 502, "after": True}, 502, 1),
        ({"kind": "garbage"}, 200, 0),
        ({"kind": "latency", "seconds": 0.01}, 200, 1),
        ({"kind": "hang", "seconds": 0.01, "after": True}, 200, 1),
        ({"kind": "error", "path": "/other"}, 200, 1),
        ({"kind": "error", "method": "GET"}, 200, 1),
        ({"kind": "error", "body": "nowhere"}, 200, 1),
        ({"kind": "error", "body": "metadata[order_id]=o 1"}, 500, 0),
    ],
)
async def test_the_effect_happens_or_not_when_a_fault_is_armed(toy: Toy, fault: dict, status: int, effects: int):
    async with toy.client() as client:
        await arm(client, **fault)
        answer = await client.post("/count", content=b"metadata%5Border_id%5D=o+1")
        assert (answer.status_code, toy.count) == (status, effects)


@pytest.mark.parametrize(("kind", "effects"), [("drop", 0), ("drop_after", 1), ("hang", 0)])
async def test_the_connection_closes_without_answer_when_told(toy: Toy, kind: str, effects: int):
    async with toy.client() as client:
        await arm(client, kind=kind, seconds=0)
        with pytest.raises(ConnectionDroppedError):
            await client.post("/count")
        assert toy.count == effects


async def test_a_fault_fires_as_often_as_asked_when_requests_repeat(toy: Toy):
    async with toy.client() as client:
        await arm(client, kind="error", times=2, skip=1)
        assert [(await client.post("/count")).status_code for _ in range(4)] == [200, 500, 500, 200]
        assert (await client.get("/_admin/faults")).json() == {"data": []}
        await arm(client, kind="error", times=None)
        await client.delete("/_admin/faults")
        assert (await client.post("/count")).status_code == 200


async def test_that_request_alone_fails_when_it_brings_its_fault_along(toy: Toy):
    async with toy.client() as client:
        failed = await client.post("/count", headers={"X-Sandbox-Fault": '{"kind": "fail_after", "status": 503}'})
        assert (failed.status_code, (await client.post("/count")).json()) == (503, {"count": 2})
        for senseless in ('{"kind": "x"}', "drop"):
            refused = await client.post("/count", headers={"X-Sandbox-Fault": senseless})
            assert (refused.status_code, toy.count) == (400, 2)


async def test_nonsense_is_refused_when_sent_to_the_admin(toy: Toy):
    async with toy.client() as client:
        for path, body in [
            ("faults", {"kind": "x"}),
            ("faults", {"kind": "drop", "pathh": "/"}),
            ("faults", {"kind": "drop", "path": "("}),
            ("settings", {"slow": True}),
            ("settings", {"fast": 1}),
            ("settings", {"webhooks": "maybe"}),
            ("clock", {"advance": "1"}),
            ("webhooks/redeliver", {}),
            ("endpoints", {"url": "http://x"}),
        ]:
            answer = await client.post(f"/_admin/{path}", json=body)
            assert answer.status_code == 400, (path, body)
            assert answer.json()["error"]


async def test_clock_and_settings_survive_when_the_process_starts_again(tmp_path: Path):
    first = Toy(tmp_path / "toy.sqlite")
    async with first.client() as client:
        await client.post("/_admin/clock", json={"advance": 3600})
        await client.post("/_admin/settings", json={"fast": True})
    first.ledger.close()
    second = Toy(tmp_path / "toy.sqlite")
    assert second.clock.offset == 3600
    assert second.settings["fast"] is True
    second.ledger.close()


async def test_requests_are_logged_when_the_switch_is_on(toy: Toy):
    async with toy.client() as client:
        await client.post("/count")
        await client.post("/_admin/settings", json={"log_requests": True})
        await client.post(
            "/count?a=1", content=b"b=2", headers={"Idempotency-Key": "k", "Authorization": "Bearer s3cret"}
        )
        [entry] = (await client.get("/_admin/requests")).json()["data"]
    assert (entry["query"], entry["body"], entry["idempotency_key"], entry["status"]) == ("a=1", "b=2", "k", 200)
    assert "s3cret" not in str(entry)


@pytest.mark.parametrize("way", ["fault", "log"])
async def test_nothing_was_asked_when_the_client_went_away_before_it_had_asked(toy: Toy, way: str):
    async with toy.client() as client:
        if way == "fault":
            await arm(client, kind="error", path="/other")
        else:
            await client.post("/_admin/settings", json={"log_requests": True})
    arriving = iter([{"type": "http.request", "body": b"amount=", "more_body": True}, {"type": "http.disconnect"}])
    answered: list[Message] = []

    async def receive() -> Message:
        return next(arriving)

    async def send(message: Message) -> None:
        answered.append(message)

    await toy.app(
        {"type": "http", "method": "POST", "path": "/count", "query_string": b"", "headers": []}, receive, send
    )
    assert (toy.count, answered) == (0, [])


async def test_webhooks_arrive_signed_when_the_receiver_fails_at_first(toy: Toy, receiver: Receiver):
    receiver.answers = [500, 302]
    toy.deliveries.put_endpoint(Endpoint("one", receiver.url, "whsec"))
    toy.deliveries.put_endpoint(Endpoint("other", receiver.url, "whsec", events=("b",)))
    assert toy.deliveries.enqueue("evt_1", "a", b"{}") == 1
    await delivered(toy, 3, receiver)
    assert [headers["X-Signed"] for headers, _ in receiver.got] == ["whsec"] * 3
    async with toy.client() as client:
        [entry] = (await client.get("/_admin/webhooks")).json()["data"]
        assert (entry["status"], entry["attempts"], entry["http_status"]) == ("delivered", 3, 200)


async def test_webhooks_wait_or_vanish_when_switched_off(toy: Toy, receiver: Receiver):
    async with toy.client() as client:
        await client.post("/_admin/endpoints", json={"url": receiver.url, "secret": "s"})
        await client.post("/_admin/settings", json={"webhooks": "drop"})
        toy.deliveries.enqueue("evt_1", "a", b"1")
        await client.post("/_admin/settings", json={"webhooks": "hold"})
        toy.deliveries.enqueue("evt_2", "a", b"2")
        assert (await client.get("/_admin/webhooks")).json()["pending"] == 1
        await client.post("/_admin/settings", json={"webhooks": "on"})
        await delivered(toy, 1, receiver)
        assert [body for _, body in receiver.got] == [b"2"]
        redelivered = await client.post("/_admin/webhooks/redeliver", json={"status": "dropped"})
        assert redelivered.json() == {"redelivered": 1}
        await delivered(toy, 2, receiver)
        assert receiver.got[1][1] == b"1"


async def delivered(toy: Toy, requests: int, receiver: Receiver) -> None:
    """Runs the delivery until the receiver has had `requests` and nothing is pending."""
    task = asyncio.create_task(toy.deliveries.run())
    await asyncio.to_thread(wait_until, lambda: len(receiver.got) >= requests and not toy.deliveries.pending())
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
