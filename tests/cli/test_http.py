"""The small client sends keys, reads problems, and says when nobody answers."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from cli.http import ApiClient, ApiError, ApiUnreachableError
from cli.ports import find


class Echo(BaseHTTPRequestHandler):
    """Answers with what it got; /refused is a problem, /empty has no body."""

    def do_GET(self) -> None:
        status, answer = 200, {"path": self.path, "key": self.headers["Authorization"]}
        if self.path == "/refused":
            status, answer = 409, {"code": "out_of_stock", "detail": "Two are missing.", "lines": ["A"]}
        self.answer(status, json.dumps(answer))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = {"body": json.loads(body), "key": self.headers["Idempotency-Key"]}
        self.answer(204 if self.path == "/empty" else 200, "" if self.path == "/empty" else json.dumps(answer))

    def answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def client() -> Iterator[ApiClient]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield ApiClient(f"http://127.0.0.1:{server.server_port}", "demo-ops")
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_key_and_the_query_are_sent_when_something_is_read(client: ApiClient) -> None:
    assert client.get("/orders", limit=5, cursor=None) == {"path": "/orders?limit=5", "key": "Bearer demo-ops"}


def test_two_calls_have_two_keys_when_none_is_given(client: ApiClient) -> None:
    first, second = client.post("/orders", {"a": 1}), client.post("/orders", {"a": 1})
    assert first["body"] == second["body"] == {"a": 1}
    assert first["key"] != second["key"]
    assert client.post("/orders", idempotency_key="mine")["key"] == "mine"
    assert client.post("/empty") is None


def test_the_problem_is_raised_when_a_call_is_refused(client: ApiClient) -> None:
    with pytest.raises(ApiError, match=r"GET /refused answered 409 out_of_stock: Two are missing\.") as caught:
        client.get("/refused")
    assert (caught.value.status, caught.value.code, caught.value.problem["lines"]) == (409, "out_of_stock", ["A"])


def test_another_error_is_raised_when_nobody_answers() -> None:
    with pytest.raises(ApiUnreachableError, match="Connection refused"):
        ApiClient(f"http://127.0.0.1:{find()}").get("/orders")
