"""Stripe's own specification as the judge: of our client's requests (stripe-mock) and of the sandbox's answers.

`StripeMock.accepts` takes a recorded request; `validate` takes an answer. Both come from one pinned stripe-mock, which
needs Go. Where there is none `needs_go` skips, and fails when CI is true.
"""

import functools
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.sandbox.processes import wait_until

MODULE = "github.com/stripe/stripe-mock"
VERSION = "v0.203.0"
BIN = Path(__file__).parents[2] / ".shelfway" / "bin"
SPEC_URI = "stripe:spec3"


def needs_go() -> str:
    """Path of the go command; skips, or fails in CI, where there is none."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        message = f"no Go here: {MODULE} {VERSION} cannot be built, so Stripe's specification was not checked"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return go


@functools.cache
def stripe_mock_binary() -> Path:
    binary = BIN / f"stripe-mock-{VERSION}"
    if not binary.exists():
        go = needs_go()
        BIN.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "GOBIN": str(BIN)}
        subprocess.run([go, "install", f"{MODULE}@{VERSION}"], env=env, check=True, capture_output=True, timeout=300)
        (BIN / "stripe-mock").replace(binary)
    return binary


class StripeMock:
    """A running stripe-mock."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.url = f"http://{address[0]}:{address[1]}"

    def accepts(self, method: str, path: str, body: str = "") -> str | None:
        """None when the request (path with its query) fits the specification, else the complaint."""
        connection = HTTPConnection(*self._address, timeout=10)
        headers = {"Authorization": "Bearer sk_test_x", "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, path, body if method == "POST" else None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        return None if answer.status < 300 else f"{method} {path} {body}: {answer.status} {text}"


@contextmanager
def running_stripe_mock() -> Iterator[StripeMock]:
    address, other = _free_address(), _free_address()
    command = [str(stripe_mock_binary())]
    for flag, (host, port) in (("-http-addr", address), ("-https-addr", other)):
        command += [flag, f"{host}:{port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens(address), 20)
        yield StripeMock(address)
    finally:
        process.terminate()
        process.wait(10)


def validate(method: str, path: str, body: Any, status: int = 200) -> list[str]:
    """What is wrong with an answer of `method` on the real `path` (ids in it), by the specification; [] when nothing."""
    operation = _operation(method, path.split("?", maxsplit=1)[0])
    if operation is None:
        return [f"{method} {path} is not in the specification"]
    return _errors(f"{operation}/{'200' if status < 300 else 'default'}", body)


def validate_object(schema: str, body: Any) -> list[str]:
    """The same for one object, by its name in the specification."""
    return _errors(f"schema/{schema}", body)


def _errors(key: str, body: Any) -> list[str]:
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in _validator(key).iter_errors(body)]


@functools.cache
def _validator(key: str) -> Draft202012Validator:
    kind, _, name = key.partition("/")
    if kind == "schema":
        pointer = f"/components/schemas/{name}"
    else:
        verb, _, rest = key.partition(" ")
        path, _, status = rest.rpartition("/")
        parts = ["paths", path, verb, "responses", status, "content", "application/json", "schema"]
        pointer = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)
    registry = Registry().with_resource(SPEC_URI, Resource.from_contents(_spec(), default_specification=DRAFT202012))
    return Draft202012Validator({"$ref": f"{SPEC_URI}#{pointer}"}, registry=registry)


@functools.cache
def _spec() -> dict[str, Any]:
    found = subprocess.run(
        [needs_go(), "mod", "download", "-json", f"{MODULE}@{VERSION}"], check=True, capture_output=True, timeout=300
    )
    folder = Path(json.loads(found.stdout)["Dir"])
    return _as_json_schema(json.loads((folder / "embedded" / "openapi" / "spec3.json").read_text()))


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` becomes a choice with null, and objects admit no field that they do not declare."""
    if isinstance(node, list):
        return [_as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _as_json_schema(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        changed.setdefault("additionalProperties", False)
    if changed.pop("nullable", None) is True:
        return {"anyOf": [changed, {"type": "null"}]}
    return changed


@functools.cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Written paths before those with ids."""
    paths = sorted(_spec()["paths"], key=lambda path: path.count("{"))
    return [(path, re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", path) + "$")) for path in paths]


def _operation(method: str, path: str) -> str | None:
    for written, pattern in _patterns():
        if pattern.match(path) and method.lower() in _spec()["paths"][written]:
            return f"{method.lower()} {written}"
    return None


def _free_address() -> tuple[str, int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()


def _listens(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0
