"""A commit that nobody heard of: tried again, and where that fails too, neither called done nor called not done."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from api.app import compose
from cli.chaos import proxy as proxies
from cli.chaos.proxy import Proxies, Proxy, Trouble
from cli.postgres import Postgres, Urls
from models.config import Settings
from models.stores.intake import IntakeStore
from models.tables.orders import Order
from tests.api.conftest import KEYS, Api, FakeRuns


@pytest.fixture
def proxy(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Before Postgres; once it is told to, it loses the reply to every commit."""
    monkeypatch.setattr(proxies, "_LOSE", 1.0)
    with Proxies([Proxy("postgres", postgres.port, b"COMMIT")]) as running:
        yield running.by_name["postgres"]


@pytest.fixture
def app(routes: FastAPI, urls: Urls, runs: FakeRuns, clock: Any, proxy: Proxy) -> Iterator[FastAPI]:
    through = urls.app.replace(f":{proxy.upstream}/", f":{proxy.port}/")
    compose(routes, Settings(database_url=through, api_keys=KEYS), clock, runs)
    yield routes
    routes.state.database.dispose()


@pytest.fixture
def as_it_is_placed(monkeypatch: pytest.MonkeyPatch, proxy: Proxy) -> Any:
    """Lets the trouble begin within the transaction that writes the order."""
    place = IntakeStore._place

    def arm(trouble: Trouble, tries: int = 3) -> None:
        left = [tries]

        def troubled(*arguments: Any) -> Any:
            left[0] -= 1
            proxy.begin(trouble) if left[0] >= 0 else proxy.end(trouble)
            while (proxy._trouble is trouble) is not (left[0] >= 0):
                pass
            return place(*arguments)

        monkeypatch.setattr(IntakeStore, "_place", troubled)

    return arm


async def test_the_order_is_answered_when_a_second_try_hears_of_its_commit(
    api: Api, proxy: Proxy, as_it_is_placed: Any
) -> None:
    as_it_is_placed(Trouble.REPLY_LOST, tries=1)
    assert (await api.place()).status_code == 201
    assert (proxy.lost, api.count(Order)) == (1, 1)


async def test_504_and_the_same_key_tells_when_no_try_hears_of_the_commit(
    api: Api, proxy: Proxy, as_it_is_placed: Any
) -> None:
    as_it_is_placed(Trouble.REPLY_LOST)
    answer = await api.place()
    assert (answer.status_code, answer.json()["code"]) == (504, "outcome_unknown")
    assert answer.headers["retry-after"]
    assert (proxy.lost, api.count(Order)) == (3, 1)
    proxy.end(Trouble.REPLY_LOST)
    api.clock.advance(timedelta(seconds=11))
    again = await api.place()
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert api.count(Order) == 1


async def test_503_when_the_connection_was_lost_before_any_commit(api: Api, as_it_is_placed: Any) -> None:
    as_it_is_placed(Trouble.RESET)
    answer = await api.place()
    assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
    assert api.count(Order) == 0


async def test_503_when_it_was_a_reading_whose_commit_was_not_heard_of(api: Api, proxy: Proxy) -> None:
    order = (await api.place()).json()["id"]
    proxy.begin(Trouble.REPLY_LOST)
    answer = await api.call("GET", f"/v1/orders/{order}")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
