"""Temporal's server has its search attributes when it is ready, in a new file and in an old one."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli import temporal
from cli.temporal import Temporal, TemporalError


def attributes(server: Temporal, namespace: str = temporal.NAMESPACE) -> str:
    program = temporal.binary(server.folder)
    command = [program, "operator", "search-attribute", "list", "--address", server.address, "--namespace", namespace]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_new_attributes_are_registered_when_the_database_file_is_an_old_one(tmp_path: Path) -> None:
    with Temporal(tmp_path, {"OrderNumber": "Keyword"}) as server:
        assert "OrderNumber" in attributes(server)
    with Temporal(tmp_path, {"OrderNumber": "Keyword", "StoreIds": "KeywordList"}) as server:
        listed = attributes(server)
        assert "OrderNumber" in listed
        assert "StoreIds" in listed
    files = [file.name for file in tmp_path.glob("*.db")]
    assert files == [f"temporal-{temporal.server_version(temporal.binary(tmp_path))}.db"]
    temporal.erase(tmp_path)
    assert not list(tmp_path.glob("*.db*"))


def test_a_server_is_checked_through_the_environment_when_somebody_runs_their_own(tmp_path: Path, monkeypatch) -> None:
    with Temporal(tmp_path, durable=False) as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        temporal.check_external({"Brand": "Keyword"})
        assert "Brand" in attributes(server)
    with pytest.raises(TemporalError, match=r"TEMPORAL_ADDRESS=127\.0\.0\.1"):
        temporal.check_external({"Brand": "Keyword"})


def test_a_namespace_is_made_with_its_attributes_when_a_server_has_none(tmp_path: Path, monkeypatch) -> None:
    with Temporal(tmp_path, durable=False) as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        monkeypatch.setenv("TEMPORAL_NAMESPACE", "shop")
        for _ in range(2):
            temporal.register({"Brand": "Keyword"})
        assert "Brand" in attributes(server, "shop")


def test_the_own_binary_is_used_when_the_environment_names_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SHELFWAY_TEMPORAL_BIN", sys.executable)
    assert temporal.binary(tmp_path) == Path(sys.executable)
    monkeypatch.setenv("SHELFWAY_TEMPORAL_BIN", str(tmp_path))
    monkeypatch.setenv("SHELFWAY_TEMPORAL_BIN", str(tmp_path / "missing"))
    with pytest.raises(TemporalError, match="is no program"):
        temporal.binary(tmp_path)
