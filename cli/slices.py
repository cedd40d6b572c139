"""A pytest plugin: `--slice K/N` runs the K-th of N parts of the suite, the same part for the same names anywhere."""

import hashlib

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slice", metavar="K/N", type=_parsed, help="run the K-th of N parts of the suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted: tuple[int, int] | None = config.getoption("--slice")
    if wanted is None:
        return
    part, parts = wanted
    chosen, others = [], []
    for item in items:
        (chosen if _digest(item.nodeid) % parts == part - 1 else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = chosen


def _parsed(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise ValueError(f"{text!r} is not K/N with 1 <= K <= N")
    return int(part), int(parts)


def _digest(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
