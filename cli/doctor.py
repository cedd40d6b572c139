"""`./shelfway doctor`: what a checkout needs, what is there of it, and what to do. It changes nothing."""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

from cli import accounts, cluster, postgres, temporal
from cli.down import is_up, leftovers
from cli.env import STATE
from cli.ports import is_free
from cli.processes import ROOT

_DISK_NEEDED = 2 * 1024**3  # bytes: the environment, uv's cache, some data
_STYLES = {"ok": "green", "note": "yellow", "missing": "bold red"}


@dataclass(frozen=True)
class Finding:
    """`note`: works without. `missing`: `up` will not."""

    what: str
    state: Literal["ok", "note", "missing"]
    found: str
    todo: str = ""


def doctor() -> int:
    """Prints the table; 1 when something that is needed is missing."""
    findings = [check() for check in CHECKS]
    table = Table("", "state", "found", "what to do", box=None, pad_edge=False)
    for finding in findings:
        state = f"[{_STYLES[finding.state]}]{finding.state}[/]"
        table.add_row(finding.what, state, finding.found, finding.todo)
    Console(highlight=False).print(table)
    return int(any(finding.state == "missing" for finding in findings))


def python() -> Finding:
    found = f"{platform.python_version()} ({platform.machine()} {platform.system()})"
    return Finding("Python", "ok", found)


def environment() -> Finding:
    uv = ROOT / ".shelfway" / "uv" / "bin" / "uv"  # where `bootstrap` keeps it
    if not uv.exists():
        return Finding("packages", "note", "this environment was not made by ./shelfway", "run any ./shelfway command")
    command = [str(uv), "sync", "--frozen", "--check", "--offline", "--no-cache", "--quiet", "--project", str(ROOT)]
    variables = os.environ | {"UV_PROJECT_ENVIRONMENT": str(ROOT / ".venv"), "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        return Finding(
            "packages", "missing", ".venv differs from uv.lock", "rm .shelfway/environment; ./shelfway doctor"
        )
    return Finding("packages", "ok", ".venv is as uv.lock says")


def database() -> Finding:
    url = os.environ.get("DATABASE_URL")
    try:
        if url:
            number = postgres.check_external(url)
            return Finding("PostgreSQL", "ok", f"DATABASE_URL, version {number // 10_000}.{number % 10_000}")
        folder = cluster.wheel_folder()
        account = accounts.unprivileged()
    except (cluster.PostgresError, accounts.AccountError) as error:
        return Finding("PostgreSQL", "missing", str(error), "DATABASE_URL of PostgreSQL 16 or newer")
    program = folder / f"pginstall{cluster.MAJOR}" / "bin" / "postgres"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    whose = f", run as {account.name}" if account else ""
    return Finding("PostgreSQL", "ok", f"ours, {done.stdout.strip()}{whose}")


def workflow_server() -> Finding:
    address = os.environ.get("TEMPORAL_ADDRESS")
    try:
        if address:
            from workflows.search import REGISTERED

            temporal.check_external(REGISTERED)
            return Finding("Temporal", "ok", f"TEMPORAL_ADDRESS {address}")
        program = temporal.binary(STATE / "data")
        return Finding("Temporal", "ok", f"ours, server {temporal.server_version(program)}")
    except temporal.TemporalError as error:
        todo = (
            "is it up, are namespace and key right? Or unset it"
            if address
            else "TEMPORAL_ADDRESS or SHELFWAY_TEMPORAL_BIN"
        )
        return Finding("Temporal", "missing", str(error), todo)


def vendors() -> Finding:
    real = [name for name in ("STRIPE_API_KEY", "EASYPOST_API_KEY") if os.environ.get(name)]
    return Finding("Stripe, EasyPost", "ok", f"real: {', '.join(real)}" if real else "our sandboxes")


def fixed_ports() -> Finding:
    names = ("API", "POSTGRES", "TEMPORAL", "TEMPORAL_UI", "TEMPORAL_METRICS", "STRIPE", "EASYPOST")
    fixed = {name: os.environ[f"SHELFWAY_{name}_PORT"] for name in names if f"SHELFWAY_{name}_PORT" in os.environ}
    taken = [f"{name} {port}" for name, port in fixed.items() if not (port.isdigit() and is_free(int(port)))]
    if taken and not is_up():
        return Finding("ports", "missing", f"taken: {', '.join(taken)}", "unset SHELFWAY_..._PORT and one is found")
    return Finding("ports", "ok", f"fixed: {', '.join(fixed)}" if fixed else "found when needed")


def disk() -> Finding:
    free = shutil.disk_usage(ROOT).free
    found = f"{free / 1024**3:.1f} GB free"
    return Finding(
        "disk", "ok" if free > _DISK_NEEDED else "note", found, "" if free > _DISK_NEEDED else "2 GB are safe"
    )


def processes() -> Finding:
    if is_up():
        return Finding("processes", "ok", "this checkout is up")
    left = leftovers()
    if left:
        names = ", ".join(str(entry["name"]) for entry in left)
        return Finding("processes", "note", f"left by a killed `up`: {names}", "./shelfway down")
    return Finding("processes", "ok", "none of this checkout run")


def contract_tests() -> Finding:
    if shutil.which("stripe-mock"):
        return Finding("stripe-mock", "ok", "on PATH")
    if shutil.which("go"):
        return Finding("stripe-mock", "ok", "the tests install it with go")
    return Finding("stripe-mock", "note", "neither it nor go", "optional: those contract tests are skipped")


CHECKS: tuple[Callable[[], Finding], ...] = (
    python,
    environment,
    database,
    workflow_server,
    vendors,
    fixed_ports,
    disk,
    processes,
    contract_tests,
)
