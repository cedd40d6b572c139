"""Ports are fixed, remembered or found, and nobody is given one that is taken."""

import socket
from pathlib import Path

import pytest

from cli import ports
from cli.ports import PortError, Ports


@pytest.fixture
def listener():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


def test_the_same_port_is_given_when_it_is_still_free(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json").get("API")
    assert Ports(tmp_path / "ports.json").get("API") == first


def test_another_port_is_given_when_the_remembered_one_is_taken(tmp_path: Path, listener) -> None:
    taken = listener.getsockname()[1]
    (tmp_path / "ports.json").write_text(f'{{"API": {taken}}}')
    given = Ports(tmp_path / "ports.json").get("API")
    assert given != taken
    assert ports.is_free(given)


def test_two_names_have_two_ports_when_neither_listens_yet(tmp_path: Path, monkeypatch) -> None:
    found = iter([21_001, 21_001, 21_002])
    monkeypatch.setattr(ports, "find", lambda: next(found))
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    some = Ports(tmp_path / "ports.json")
    assert (some.get("API"), some.get("POSTGRES")) == (21_001, 21_002)


def test_the_fixed_port_is_given_when_the_environment_sets_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SHELFWAY_API_PORT", str(ports.find()))
    some = Ports(tmp_path / "ports.json")
    assert some.get("API") == int(ports.os.environ["SHELFWAY_API_PORT"])
    assert not (tmp_path / "ports.json").exists()


def test_an_error_names_the_variable_when_the_fixed_port_is_taken(tmp_path: Path, monkeypatch, listener) -> None:
    monkeypatch.setenv("SHELFWAY_API_PORT", str(listener.getsockname()[1]))
    with pytest.raises(PortError, match=r"SHELFWAY_API_PORT: port \d+ is taken"):
        Ports(tmp_path / "ports.json").get("API")


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1"])
def test_an_error_names_the_variable_when_it_holds_no_port(tmp_path: Path, monkeypatch, text: str) -> None:
    monkeypatch.setenv("SHELFWAY_API_PORT", text)
    with pytest.raises(PortError, match="is no port"):
        Ports(tmp_path / "ports.json").get("API")


def test_a_port_answers_only_while_somebody_listens(listener) -> None:
    port = listener.getsockname()[1]
    assert ports.answers(port)
    listener.close()
    assert not ports.answers(port)
