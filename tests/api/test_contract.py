"""What holds for every route: a declared permission, examples, problems for errors, and the committed description."""

import json
import socket
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.app import create_app
from api.deps import Permit
from api.permissions import ALLOWED, Permission
from models.config import Settings
from models.words import Role
from tests.api.conftest import CART, KEYS, Api, FakeRuns

RENEW = "renew it with `python -m api.openapi`"


def routes_of(app: FastAPI) -> list[APIRoute]:
    included = [getattr(each, "original_router", None) for each in app.routes]
    found = [route for router in included if router is not None for route in router.routes]
    return [route for route in found if isinstance(route, APIRoute) and route.include_in_schema]


def dependencies(route: APIRoute) -> list[Any]:
    """All that is called before the route itself, however deep."""
    found: list[Any] = []
    todo = [*route.dependant.dependencies]
    while todo:
        dependant = todo.pop()
        found.append(dependant.call)
        todo += dependant.dependencies
    return found


def permissions(route: APIRoute) -> set[str]:
    return {call.permission for call in dependencies(route) if isinstance(call, Permit)}


def test_no_dependency_takes_a_thread_when_a_request_is_prepared(app: FastAPI):
    calls = {call for route in routes_of(app) for call in dependencies(route)}
    assert len(calls) > 20
    assert {call for call in calls if not (iscoroutinefunction(call) or iscoroutinefunction(call.__call__))} == set()


def test_every_route_declares_one_permission_when_it_is_under_v1(app: FastAPI):
    found = {f"{sorted(r.methods)} {r.path}": permissions(r) for r in routes_of(app) if r.path.startswith("/v1")}
    assert len(found) > 20
    assert {name: asked for name, asked in found.items() if len(asked) != 1} == {}


def test_only_webhooks_and_health_are_open_when_a_route_is_outside_v1(app: FastAPI):
    outside = {route.path for route in routes_of(app) if not route.path.startswith("/v1")}
    assert outside == {"/healthz", "/readyz", "/webhooks/stripe", "/webhooks/easypost"}


def test_every_permission_is_somebodys_when_the_table_is_read():
    given = set().union(*ALLOWED.values())
    assert given == set(get_args(Permission))
    assert set(ALLOWED) == set(Role)


async def test_401_when_no_known_key_is_sent(api: Api, app: FastAPI):
    for route in routes_of(app):
        if not route.path.startswith("/v1"):
            continue
        path = route.path.replace("{", "").replace("}", "")
        for method in route.methods:
            answer = await api.http.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path
            assert answer.headers["www-authenticate"] == "Bearer"
    answer = await api.call("GET", "/v1/orders", by="nobody")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("by", "method", "path"),
    [
        ("soho", "GET", "/v1/orders"),
        ("soho", "POST", "/v1/orders"),
        ("shop", "GET", "/v1/shipments"),
        ("shop", "POST", "/v1/orders/ord_1/holds"),
        ("agent", "POST", "/v1/orders/ord_1/retry"),
        ("agent", "POST", "/v1/shipments/shp_1/accept"),
        ("soho", "GET", "/v1/cases"),
    ],
)
async def test_403_when_the_role_may_not(api: Api, by, method, path):
    answer = await api.call(method, path, by=by)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def shows_example(schema: dict[str, Any], document: dict[str, Any]) -> bool:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "examples" in schema or "example" in schema:
        return True
    return any(shows_example(each, document) for each in schema.get("anyOf", []) if each.get("type") != "null")


def test_every_operation_has_examples_when_the_description_is_read(app: FastAPI):
    document = app.openapi()
    without: list[str] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            bodies = list(operation.get("requestBody", {}).get("content", {}).items())
            for status, answer in operation["responses"].items():
                if status < "300":
                    bodies += answer.get("content", {}).items()
            without += [
                f"{method} {path} {media}"
                for media, body in bodies
                if media == "application/json"
                and not ("example" in body or "examples" in body or shows_example(body["schema"], document))
            ]
    assert without == []


def test_operation_ids_are_the_functions_names_and_unique(app: FastAPI):
    names = [o["operationId"] for operations in app.openapi()["paths"].values() for o in operations.values()]
    assert len(names) == len(set(names))
    assert {"place_order", "get_order", "list_shipments"} <= set(names)


def test_errors_are_described_as_problems_when_the_description_is_read(app: FastAPI):
    for path, operations in app.openapi()["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if status >= "400" and path != "/readyz":
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)


def test_the_committed_description_is_todays(app: FastAPI, root: Path):
    committed = json.loads((root / "docs" / "openapi.json").read_text())
    assert committed == json.loads(json.dumps(app.openapi())), RENEW


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "code"),
    [
        ("GET", "/v2/orders", {}, 404, "not_found"),
        ("PUT", "/v1/orders", {}, 405, "method_not_allowed"),
        ("POST", "/v1/orders", {"content": b"{", "headers": {"Idempotency-Key": "k"}}, 400, "malformed"),
        ("POST", "/v1/orders", {"content": b"\xff\xfe", "headers": {"Idempotency-Key": "k"}}, 400, "malformed"),
        ("POST", "/v1/orders", {"content": b"x" * 1_048_577}, 413, "body_too_large"),
        ("GET", "/v1/orders?limit=1000", {}, 422, "invalid"),
        ("GET", "/v1/orders?status=lost", {}, 422, "invalid"),
    ],
)
async def test_a_problem_with_its_request_id_when_the_framework_refuses(api: Api, *, method, path, more, status, code):
    answer = await api.call(method, path, **more)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert {"title", "detail", "errors"} <= set(problem)


async def test_a_500_tells_nothing_when_something_breaks(api: Api, monkeypatch):
    monkeypatch.setattr(api.app.state.readers, "_db", None)
    answer = await api.call("GET", "/v1/orders/ord_1", headers={"X-Request-Id": "mine-12345"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "mine-12345"
    assert "NoneType" not in answer.text


async def test_what_a_customer_typed_is_not_told_back_when_it_is_refused(api: Api):
    bad = {"customer": {"email": "canary at example", "name": "Canary\x00"}}
    answer = await api.place(**bad)
    assert answer.status_code == 422
    assert "canary" not in answer.text.lower()


async def test_503_when_postgres_is_away(runs: FakeRuns):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nowhere = Settings(database_url=f"postgresql+psycopg://nobody@127.0.0.1:{port}/none", api_keys=KEYS)
    transport = httpx.ASGITransport(create_app(nowhere, temporal=runs))
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as http:
        headers = {"Authorization": "Bearer shop", "Idempotency-Key": "k"}
        placed = await http.post("/v1/orders", json=CART, headers=headers)
        assert (placed.status_code, placed.json()["code"]) == (503, "database_away")
        assert int(placed.headers["retry-after"]) >= 1
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()["database"]) == (503, "away")
        assert (await http.get("/healthz")).status_code == 200


async def test_ready_reports_temporal_and_does_not_need_it(api: Api):
    api.runs.up = False
    answer = await api.http.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "database": "migrated", "temporal": False},
    )
    assert (await api.http.get("/healthz")).json() == {"status": "ok"}


async def test_the_docs_need_no_network_when_they_are_opened(api: Api):
    page = (await api.http.get("/docs")).text
    assert "//cdn" not in page
    assert "/static-offline-docs/" in page
