"""The fault proxy before a server that keeps what it was told: late answers, cut connections, and lost replies."""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from cli.chaos.proxy import Proxies, Proxy, Trouble


class Keeper(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Kept)
        self.kept: list[bytes] = []


class _Kept(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the proxy cuts
            while line := self.request.recv(1000):
                self.server.kept.append(line)
                self.request.sendall(b"done: " + line)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    with Keeper() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(keeper: Keeper) -> Iterator[Proxy]:
    with Proxies([Proxy("keeper", keeper.server_address[1], effect=b"COMMIT")]) as proxies:
        yield proxies.by_name["keeper"]


def ask(proxy: Proxy, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as connection:
        connection.sendall(text)
        return connection.recv(1000)


def test_everything_passes_when_nothing_is_wrong(proxy: Proxy) -> None:
    assert ask(proxy, b"COMMIT") == b"done: COMMIT"
    assert proxy.lost == 0


def test_a_commit_is_kept_and_its_reply_is_not_when_replies_are_lost(proxy: Proxy, keeper: Keeper) -> None:
    proxy.begin(Trouble.REPLY_LOST)
    lost = 0
    for _ in range(20):
        try:
            assert ask(proxy, b"COMMIT") == b"done: COMMIT"
        except ConnectionResetError:
            lost += 1
    assert len(keeper.kept) == 20
    assert 0 < lost < 20
    assert proxy.lost == lost
    assert ask(proxy, b"SELECT") == b"done: SELECT"
    proxy.end(Trouble.REPLY_LOST)
    assert [ask(proxy, b"COMMIT") for _ in range(8)] == [b"done: COMMIT"] * 8


def test_open_and_new_connections_are_cut_until_a_reset_ends(proxy: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as connection:
        connection.sendall(b"SELECT")
        assert connection.recv(1000) == b"done: SELECT"
        proxy.begin(Trouble.RESET)
        with pytest.raises(ConnectionResetError):
            connection.recv(1000)
    with pytest.raises(ConnectionError):
        ask(proxy, b"SELECT")
    proxy.end(Trouble.RESET)
    assert ask(proxy, b"SELECT") == b"done: SELECT"


def test_answers_come_later_until_another_trouble_takes_the_place_of_latency(proxy: Proxy) -> None:
    proxy.begin(Trouble.LATENCY, 0.2)
    began = time.monotonic()
    assert ask(proxy, b"SELECT") == b"done: SELECT"
    assert time.monotonic() - began >= 0.2
    proxy.begin(Trouble.RESET)
    proxy.end(Trouble.LATENCY)  # over already
    with pytest.raises(ConnectionError):
        ask(proxy, b"SELECT")


def test_callers_are_cut_when_the_server_is_away(keeper: Keeper) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with Proxies([Proxy("nobody", port)]) as proxies, pytest.raises(ConnectionError):
        ask(proxies.by_name["nobody"], b"SELECT")
