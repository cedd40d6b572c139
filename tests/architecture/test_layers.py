"""Imports run one way, pure modules stay pure, and a workflow drags in neither database nor vendor."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("models", "activities", "workflows", "api", "workers", "sandbox", "cli")

# What each layer may import of ours.
MAY_IMPORT = {
    "models": {"models"},
    "activities": {"activities", "models"},
    "workflows": {"workflows", "activities", "models"},
    "api": {"api", "workflows", "models"},
    "workers": {"workers", "workflows", "activities", "models"},
    "sandbox": {"sandbox"},
    "migrations": {"models"},
}

IMPURE = {"stores", "tables"}
IMPURE_FILES = {"models/db.py", "models/config.py", "models/mint.py", "models/clock.py"}
PURE_MAY_IMPORT = set(sys.stdlib_module_names) | {"pydantic", "models"}
# Clock, chance, environment and I/O: arguments, never reached for.
BANNED_CALLS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "sleep"),
    ("time", "monotonic"),
    ("os", "environ"),
    ("os", "getenv"),
    ("os", "urandom"),
}
BANNED_MODULES = {"random", "secrets", "uuid", "socket", "subprocess", "os", "io", "urllib", "http", "threading"}


def files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def pure_files() -> list[Path]:
    found = [
        path
        for path in files("models")
        if not IMPURE & set(path.relative_to(ROOT).parts) and str(path.relative_to(ROOT)) not in IMPURE_FILES
    ]
    return [path for path in found if path.name != "__init__.py"]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("layer", sorted(MAY_IMPORT))
def test_imports_run_one_way(layer: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files(layer)
        for module in imported(path)
        if module.split(".")[0] in LAYERS and module.split(".")[0] not in MAY_IMPORT[layer]
    ]
    assert not wrong


@pytest.mark.parametrize("library", ["temporalio", "stripe", "easypost", "fastapi", "starlette"])
def test_models_know_no_framework(library: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files("models")
        for module in imported(path)
        if module.split(".")[0] == library
    ]
    assert not wrong


def test_vendors_are_met_in_gateways_and_signature_checks_alone() -> None:
    allowed = ("activities/gateways/", "api/webhooks/")
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files("models", "activities", "workflows", "api", "workers", "cli")
        for module in imported(path)
        if module.split(".")[0] in {"stripe", "easypost"} and not str(path.relative_to(ROOT)).startswith(allowed)
    ]
    assert not wrong


def test_sql_is_spoken_in_models_alone() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files("activities", "workflows", "api", "workers")
        for module in imported(path)
        if module.split(".")[0] in {"sqlalchemy", "psycopg"}
    ]
    assert not wrong


@pytest.mark.parametrize("path", pure_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_pure_module_imports_the_standard_library_and_pydantic_alone(path: Path) -> None:
    assert {module.split(".")[0] for module in imported(path)} <= PURE_MAY_IMPORT
    assert not [m for m in imported(path) if m.startswith(("models.stores", "models.tables", "models.db"))]


@pytest.mark.parametrize(
    "path", [*pure_files(), *files("workflows")], ids=lambda p: str(p.relative_to(ROOT)).replace("/", ".")
)
def test_no_clock_chance_or_io_in_pure_code_and_workflows(path: Path) -> None:
    if path == ROOT / "workflows/client.py":  # runs outside
        return
    tree = ast.parse(path.read_text())
    reached = {
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert not reached & BANNED_CALLS
    assert not {module.split(".")[0] for module in imported(path)} & BANNED_MODULES
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") in {"open", "input"}]


@pytest.mark.parametrize("module", ["workflows.order", "workflows.effects", "workflows.view", "workflows.search"])
def test_importing_a_workflow_brings_in_neither_database_nor_vendor(module: str) -> None:
    code = (
        f"import sys, {module}; print([m for m in ('sqlalchemy', 'psycopg', 'stripe', 'easypost') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in files(*LAYERS, "migrations")
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


def test_every_public_class_and_boundary_function_says_what_it_does() -> None:
    """Protocols' methods, stores' methods, activities and public functions of the inner layers."""
    silent = []
    for path in files("models", "activities", "workflows", "workers"):
        if "tables" in path.parts or "messages" in path.parts:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                long = (node.end_lineno or 0) - node.lineno > 8
                if long and not ast.get_docstring(node):
                    silent.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not silent


def test_packages_are_empty() -> None:
    assert not [str(p) for p in files(*LAYERS) if p.name == "__init__.py" and p.read_text().strip()]
