"""A worker that starts while Temporal is away waits for it: it must not die, or nobody would start it again for long."""

import asyncio
from typing import Any

import pytest

from workers import main


@pytest.fixture
def temporal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Away at the first two tries."""
    tries: list[str] = []

    async def connect() -> Any:
        tries.append("try")
        if len(tries) < 3:
            raise RuntimeError("Failed client connect")
        return "client"

    monkeypatch.setattr(main, "connect", connect)
    monkeypatch.setattr(main, "PAUSE", 0.001)
    return tries


async def test_it_is_connected_when_temporal_comes_back(temporal: list[str]) -> None:
    assert await main.connected(asyncio.Event()) == "client"
    assert len(temporal) == 3


async def test_it_ends_when_it_is_told_to_while_temporal_is_away(temporal: list[str]) -> None:
    stop = asyncio.Event()
    stop.set()
    assert await main.connected(stop) is None
