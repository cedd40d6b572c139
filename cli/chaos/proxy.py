"""A fault proxy: stands before a server on the loopback and passes bytes on, later, not at all, or one way only.

It knows no protocol. A reply is lost where a request carries the `effect` given: the server has done it, answers, and
the caller sees its connection reset instead.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

_CHUNK = 65536
_LOSE = 0.5  # the share of replies that are lost while they may be: trying again must be able to succeed


class Trouble(StrEnum):
    LATENCY = "latency"
    RESET = "reset"
    REPLY_LOST = "reply_lost"


@dataclass(eq=False)
class _Link:
    """One caller's connection and ours to the server."""

    caller: asyncio.StreamWriter
    server: asyncio.StreamWriter
    losing: bool = False

    def cut(self) -> None:
        for writer in (self.caller, self.server):
            _reset(writer)


@dataclass(eq=False)
class Proxy:
    """One server's. `begin` and `end` may be called from any thread once `Proxies` has started it."""

    name: str
    upstream: int
    effect: bytes = b""  # in a request that changes something; empty: any may
    seed: int = 0
    port: int = field(default=0, init=False)
    lost: int = field(default=0, init=False)  # replies, so far
    _trouble: Trouble | None = field(default=None, init=False)
    _seconds: float = field(default=0.0, init=False)
    _links: set[_Link] = field(default_factory=set[_Link], init=False)
    _serving: "set[asyncio.Task[None]]" = field(default_factory=set["asyncio.Task[None]"], init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.seed}:{self.name}")  # noqa: S311 (a schedule, no secret)

    def begin(self, trouble: Trouble, seconds: float = 0.0) -> None:
        """From now on, in place of what went on until now. `seconds` is by how much each answer comes later."""
        self._soon(self._begin, trouble, seconds)

    def end(self, trouble: Trouble) -> None:
        """Everything passes again, unless another trouble has begun since. What was cut stays cut."""
        self._soon(self._end, trouble)

    def _soon(self, act: Callable[..., None], *arguments: object) -> None:
        assert self._loop is not None, f"the proxy of {self.name} was not started"
        self._loop.call_soon_threadsafe(act, *arguments)

    def _begin(self, trouble: Trouble, seconds: float) -> None:
        self._trouble, self._seconds = trouble, seconds
        if trouble is Trouble.RESET:
            for link in list(self._links):
                link.cut()

    def _end(self, trouble: Trouble) -> None:
        if self._trouble is trouble:
            self._trouble = None

    async def hang_up(self) -> None:
        """Close every connection, in the loop of `listen`; none is left when it returns."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def listen(self) -> asyncio.Server:
        """Takes connections in this loop from now on, at `port`."""
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        task.add_done_callback(lambda _: writer.close())  # also one that was cancelled before it began

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._trouble is Trouble.RESET:
            _reset(writer)
            return
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            _reset(writer)  # the server is away: so are we
            return
        with contextlib.closing(to_server):  # however it ends: it may be cancelled while it ends
            await self._pass(reader, from_server, _Link(writer, to_server))

    async def _pass(self, reader: asyncio.StreamReader, from_server: asyncio.StreamReader, link: _Link) -> None:
        """Both ways, until either side is gone."""
        self._links.add(link)
        passing = [asyncio.create_task(self._pass_requests(reader, link))]
        passing.append(asyncio.create_task(self._pass_answers(from_server, link)))
        try:
            await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._links.discard(link)
            for task in passing:
                task.cancel()
            await asyncio.gather(*passing, return_exceptions=True)

    async def _pass_requests(self, reader: asyncio.StreamReader, link: _Link) -> None:
        while chunk := await _read(reader):
            if self._trouble is Trouble.REPLY_LOST and self.effect in chunk:
                link.losing = self._random.random() < _LOSE
            await _write(link.server, chunk)

    async def _pass_answers(self, reader: asyncio.StreamReader, link: _Link) -> None:
        while chunk := await _read(reader):
            if link.losing:
                self.lost += 1
                link.cut()
                return
            if self._trouble is Trouble.LATENCY:
                await asyncio.sleep(self._seconds)
            await _write(link.caller, chunk)


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Empty when the other side is gone, however it went."""
    try:
        return await reader.read(_CHUNK)
    except OSError:
        return b""


async def _write(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    with contextlib.suppress(OSError):
        writer.write(chunk)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """A close that the other side sees as `connection reset`."""
    found: socket.socket | None = writer.get_extra_info("socket")
    if found is not None:
        with contextlib.suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Proxies:
    """A context manager: runs the proxies in one thread of its own."""

    def __init__(self, proxies: Sequence[Proxy]) -> None:
        self.by_name = {proxy.name: proxy for proxy in proxies}
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._up: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxies", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._up.result()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            servers = [await proxy.listen() for proxy in self.by_name.values()]
        except OSError as error:
            self._up.set_exception(error)
            return
        self._up.set_result(None)
        await self._stop.wait()
        for server in servers:
            server.close()
        await asyncio.gather(*(proxy.hang_up() for proxy in self.by_name.values()))
