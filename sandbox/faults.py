"""Faults that a test or a person arms: a sandbox then fails in exactly that way, as often as asked.

A request may also bring its own along, as JSON in the header `X-Sandbox-Fault`: of many at once exactly that one fails.
`FaultMiddleware` wraps any ASGI app. It must not know a vendor's idempotency: for a failure that the vendor would
store under the caller's key (`fail_after`, and `fail_before` with `stored`) it leaves a `PlannedAnswer` in
`scope["fault_answer"]`; an app that stores answers stores that one in place of its own.
"""

import asyncio
import itertools
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args
from urllib.parse import unquote_plus

from sandbox.asgi import Answer, App, Message, Receive, Scope, Send, hang_up, json_answer, read_body, replay_body

Kind = Literal["fail_before", "fail_after", "error", "hang", "drop", "drop_after", "garbage", "latency"]
GARBAGE = b'{"object": "pay<html><h1>upstream</h1>'
ADMIN = "/_admin"
HEADER = "x-sandbox-fault"


class FaultError(ValueError):
    """A fault that makes no sense; its text is the answer to the caller."""


@dataclass
class Fault:
    """Which requests fail (method, path by regular expression, body by substring) and how."""

    kind: Kind
    method: str = "*"
    path: str = ".*"
    body: str | None = None  # found in the raw or in the form-decoded body
    times: int | None = 1  # None: until deleted
    skip: int = 0  # matching requests to let through first
    probability: float = 1.0
    seconds: float = 30.0  # of hang and latency
    after: bool = False  # hang, error and garbage: the effect happens first
    stored: bool = False  # fail_before: the vendor remembers the 500 under the idempotency key
    status: int = 500
    response: object = None  # body of `error`; None: the vendor's own shape for the status
    headers: dict[str, str] = field(default_factory=dict)
    id: str = ""
    fired: int = 0

    def matches(self, method: str, path: str, body: bytes) -> bool:
        if self.method not in ("*", method) or re.search(self.path, path) is None:
            return False
        if self.body is None:
            return True
        text = body.decode("utf-8", "replace")
        return self.body in text or self.body in unquote_plus(text)


@dataclass(frozen=True)
class PlannedAnswer:
    """What the caller will be told, whatever the app answers."""

    answer: Answer
    effect: bool  # False: the app must not act


def parse_fault(raw: object) -> Fault:
    """A Fault from the admin endpoint's JSON; raises FaultError."""
    if not isinstance(raw, dict):
        raise FaultError("a fault is an object")
    settable: set[str] = {f.name for f in fields(Fault)} - {"id", "fired"}
    given: dict[str, Any] = {str(name): value for name, value in raw.items()}
    if unknown := set(given) - settable:
        raise FaultError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(settable))}")
    if given.get("kind") not in get_args(Kind):
        raise FaultError(f"kind is one of {', '.join(get_args(Kind))}")
    try:
        re.compile(given.get("path", ""))
    except (re.error, TypeError) as error:
        raise FaultError(f"path: {error}") from error
    return Fault(**given)


class Faults:
    """The armed faults, oldest first; in memory only, so a restart disarms them."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._ids = itertools.count(1)
        self._random = random.Random(0)

    def __bool__(self) -> bool:
        return bool(self._armed)

    def arm(self, fault: Fault) -> Fault:
        fault.id = f"fault_{next(self._ids)}"
        self._armed.append(fault)
        return fault

    def clear(self, fault_id: str | None = None) -> None:
        self._armed = [f for f in self._armed if fault_id is not None and f.id != fault_id]

    def list(self) -> list[dict[str, object]]:
        return [asdict(fault) for fault in self._armed]

    def take(self, method: str, path: str, body: bytes) -> Fault | None:
        """The first armed fault for this request, counted as fired; it disarms itself after `times`."""
        for fault in self._armed:
            if not fault.matches(method, path, body):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if self._random.random() >= fault.probability:
                continue
            fault.fired += 1
            if fault.times is not None and fault.fired >= fault.times:
                self._armed.remove(fault)
            return fault
        return None


def brought(scope: Scope) -> Fault | None:
    """The fault that a request brings along for itself; raises FaultError."""
    raw = dict(scope["headers"]).get(HEADER.encode())
    try:
        return None if raw is None else parse_fault(json.loads(raw))
    except json.JSONDecodeError as error:
        raise FaultError(f"{HEADER}: {error}") from error


class FaultMiddleware:
    """Outermost around an app; `error_body(status, message)` gives the vendor's shape of an error."""

    def __init__(self, app: App, faults: Faults, error_body: Callable[[int, str], object]) -> None:
        self._app = app
        self._faults = faults
        self._error_body = error_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(ADMIN):
            await self._app(scope, receive, send)
            return
        try:
            own = brought(scope)
        except FaultError as error:
            await json_answer(400, {"error": str(error)}).send(send)
            return
        if not self._faults and own is None:
            await self._app(scope, receive, send)
            return
        body = await read_body(receive)
        if body is None:
            return
        fault = own or self._faults.take(scope["method"], scope["path"], body)
        call = _Call(self._app, scope, replay_body(body, receive), send)
        if fault is None:
            await call.pass_on()
        else:
            await self._act(fault, call)

    async def _act(self, fault: Fault, call: "_Call") -> None:
        match fault.kind:
            case "latency":
                await asyncio.sleep(fault.seconds)
                await call.pass_on()
            case "drop":
                await call.hang_up()
            case "drop_after":
                await call.effect()
                await call.hang_up()
            case "hang":
                await self._hang(fault, call)
            case "garbage":
                if fault.after:
                    await call.effect()
                await Answer(200, GARBAGE).send(call.send)
            case "error":
                if fault.after:
                    await call.effect()
                await self._answer(fault, fault.status).send(call.send)
            case "fail_before" | "fail_after":
                await self._fail(fault, call)

    async def _hang(self, fault: Fault, call: "_Call") -> None:
        if not fault.after:
            await asyncio.sleep(fault.seconds)
            await call.hang_up()
            return
        messages = await call.effect()
        await asyncio.sleep(fault.seconds)
        for message in messages:
            await call.send(message)

    async def _fail(self, fault: Fault, call: "_Call") -> None:
        answer = self._answer(fault, max(fault.status, 500))
        effect = fault.kind == "fail_after"
        if effect or fault.stored:
            call.scope["fault_answer"] = PlannedAnswer(answer, effect)
            await call.effect()
        await answer.send(call.send)

    def _answer(self, fault: Fault, status: int) -> Answer:
        body = fault.response
        if body is None:
            body = self._error_body(status, "The sandbox was told to fail this request.")
        headers: Mapping[str, str] = fault.headers
        return json_answer(status, body, headers)


@dataclass(frozen=True)
class _Call:
    app: App
    scope: Scope
    receive: Receive
    send: Send

    async def pass_on(self) -> None:
        await self.app(self.scope, self.receive, self.send)

    async def effect(self) -> list[Message]:
        """Lets the app act and keeps its answer from the caller."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(self.scope, self.receive, keep)
        return messages

    async def hang_up(self) -> None:
        await hang_up(self.receive, self.send)
