"""Our PostgreSQL recovers from every kind of kill, is used by one process, and gives the application little."""

import os
import signal
from pathlib import Path

import psycopg
import pytest

from cli import postgres as module
from cli.cluster import Cluster, PostgresError
from cli.postgres import Postgres
from cli.processes import identity


def dialled(url: str) -> str:
    return url.replace("+psycopg", "")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Postgres(tmp_path_factory.mktemp("postgres"), durable=False)
    with server:
        yield server
    server.erase()


def run(url: str, statement: str) -> list[tuple]:
    with psycopg.connect(dialled(url)) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_the_application_may_not_make_tables_or_databases_when_it_is_the_lesser_role(server: Postgres) -> None:
    urls = server.create_database("roles")
    run(urls.owner, "CREATE TABLE things (id int)")
    for statement in ("CREATE TABLE more (id int)", "SELECT * FROM things", "CREATE ROLE someone"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(urls.app, statement)
    assert run(urls.app, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]


def test_a_database_starts_with_the_templates_rows_when_one_is_given(server: Postgres) -> None:
    first = server.create_database("pattern")
    run(first.owner, "CREATE TABLE things AS SELECT 7 AS n")
    assert run(server.create_database("copied", template="pattern").owner, "SELECT n FROM things") == [(7,)]
    server.drop_database("copied")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        run(server.urls("copied").owner, "SELECT 1")


def test_a_database_is_made_once_when_it_is_ensured_twice(server: Postgres) -> None:
    run(server.ensure_database("ensured").owner, "CREATE TABLE things AS SELECT 1 AS n")
    assert run(server.ensure_database("ensured").owner, "SELECT n FROM things") == [(1,)]


def test_a_wrong_password_is_refused_when_it_comes_over_the_loopback(server: Postgres) -> None:
    url = server.urls("postgres").app
    wrong = url.replace(url.split(":")[2].split("@")[0], "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        run(wrong, "SELECT 1")


def test_a_second_process_is_refused_when_the_folder_is_in_use(server: Postgres) -> None:
    with pytest.raises(PostgresError, match="another process uses the database"):
        Postgres(server.folder).start()
    assert run(server.urls("postgres").app, "SELECT 1") == [(1,)]


def test_committed_rows_are_there_when_the_postmaster_was_killed(tmp_path: Path, until) -> None:
    server = Postgres(tmp_path, durable=False)
    try:
        with server:
            urls = server.create_database("kept")
            run(urls.owner, "CREATE TABLE things AS SELECT generate_series(1, 1000) AS n")
            os.kill(server.process.pid, signal.SIGKILL)
            until(lambda: not server.process.alive())
            server.launch()
            server.await_ready()
            assert server.urls("kept") == urls
            assert run(urls.owner, "SELECT count(*) FROM things") == [(1000,)]
    finally:
        server.erase()


def test_a_server_left_by_a_killed_supervisor_is_ended_when_the_next_one_starts(tmp_path: Path, script, until) -> None:
    holder = script(f"""
import os, signal, time
from pathlib import Path
from cli import processes
from cli.postgres import Postgres
server = Postgres(Path({str(tmp_path)!r})).start()
processes._guardian._process.kill()
print(server.process.pid, server.port, flush=True)
time.sleep(600)
""")
    pid, port = (int(word) for word in holder.stdout.readline().split())
    holder.kill()
    holder.wait()
    assert identity(pid)
    server = Postgres(tmp_path, port=port)
    try:
        with server:
            assert identity(pid) is None
            assert run(server.urls("postgres").app, "SELECT 1") == [(1,)]
    finally:
        server.erase()


def test_no_stranger_is_signalled_when_the_pid_file_is_older_than_the_boot(tmp_path: Path) -> None:
    server = Postgres(tmp_path)
    try:
        its = Cluster.of(tmp_path)
        its.data.mkdir(parents=True)
        (its.data / "postmaster.pid").write_text(f"{os.getpid()}\n{its.data}\n")
        module._stop_leftover(its)
        assert not (its.data / "postmaster.pid").exists()
    finally:
        server.erase()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another account to run as")
def test_the_cluster_lies_outside_when_root_starts_it_in_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    server = Postgres(closed)
    with server:
        home = Cluster.of(closed).home
        assert not home.is_relative_to(closed)
        assert home.stat().st_uid != 0
        assert run(server.urls("postgres").app, "SELECT 1") == [(1,)]
    server.erase()
    assert not home.exists()


def test_the_reason_is_said_when_somebodys_own_database_is_too_old(server: Postgres, monkeypatch) -> None:
    assert module.check_external(server.urls("postgres").app) // 10_000 == 18
    monkeypatch.setattr(module, "MINIMUM", 19)
    with pytest.raises(PostgresError, match="PostgreSQL 18 is too old: 19 or newer"):
        module.check_external(server.urls("postgres").app)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_sqlalchemy_gets_its_driver_when_a_url_is_spelt_in_any_usual_way(scheme: str) -> None:
    assert (
        module.sqlalchemy_url(f"{scheme}://u:p@h:5/d?sslmode=require")
        == "postgresql+psycopg://u:p@h:5/d?sslmode=require"
    )
