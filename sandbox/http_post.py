"""A minimal asynchronous HTTP/1.1 POST with kept connections, for webhooks on plain http. Not a general client."""

import asyncio
import contextlib
from collections.abc import Mapping
from urllib.parse import urlsplit

MAX_IDLE = 8  # kept connections per endpoint
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Poster:
    """Posts bodies; raises OSError, TimeoutError or ValueError where there is no answer."""

    def __init__(self, timeout: float = 10.0) -> None:
        self._timeout = timeout
        self._idle: dict[tuple[str, int], list[Stream]] = {}

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"the sandbox delivers to http:// only, not {parts.scheme}://")
        address = (parts.hostname, parts.port or 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
        async with asyncio.timeout(self._timeout):
            return await self._exchange(address, request)

    async def _exchange(self, address: tuple[str, int], request: bytes) -> int:
        idle = self._idle.setdefault(address, [])
        while idle:
            stream = idle.pop()
            # a kept connection may have been closed by the other side meanwhile: then take another
            with contextlib.suppress(OSError, EOFError):
                return await self._on(stream, address, request)
        return await self._on(await asyncio.open_connection(*address), address, request)

    async def _on(self, stream: Stream, address: tuple[str, int], request: bytes) -> int:
        reader, writer = stream
        keep = False
        try:
            writer.write(request)
            await writer.drain()
            status, keep = await _read_answer(reader)
        except EOFError as error:
            raise ConnectionResetError("closed without an answer") from error
        finally:
            idle = self._idle[address]
            if keep and len(idle) < MAX_IDLE:
                idle.append(stream)
            else:
                writer.close()
        return status

    def close(self) -> None:
        for streams in self._idle.values():
            for _, writer in streams:
                writer.close()
        self._idle.clear()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.split("\r\n")
    status = int(first.split(" ", 2)[1])
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    keep = headers.get("connection", "").lower() != "close"
    if "content-length" in headers:
        await reader.readexactly(int(headers["content-length"]))
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        await _skip_chunks(reader)
    elif status not in (204, 304):
        keep = False
    return status, keep


async def _skip_chunks(reader: asyncio.StreamReader) -> None:
    while size := int((await reader.readline()).split(b";")[0], 16):
        await reader.readexactly(size + 2)
    while (await reader.readline()).strip():
        pass
