"""What `./shelfway test` passes to pytest, and how a suite is cut into slices."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from cli import slices, testing
from cli.testing import pytest_command

SLOWEST = ["--durations=20", "--durations-min=4"]


def after_plugin(arguments: list[str]) -> list[str]:
    command = pytest_command(arguments, "7")
    return command[command.index("cli.slices") + 1 :]


def test_the_whole_suite_takes_two_processes_when_nothing_is_selected() -> None:
    two = ["--hypothesis-seed=7", "-m", "not alone", *SLOWEST, "-n", "2", "--dist", "worksteal"]
    assert after_plugin([]) == two


def test_what_loads_the_machine_runs_by_itself_when_nothing_is_selected() -> None:
    assert testing.alone_command([], "7")[-7:] == ["--hypothesis-seed=7", "-m", "alone", *SLOWEST, "-n", "0"]


def test_a_selection_goes_through_when_one_is_given() -> None:
    assert after_plugin(["-k", "cancel", "tests/api"]) == ["--hypothesis-seed=7", "-k", "cancel", "tests/api"]


def test_what_the_caller_says_stands_when_it_says_processes_and_seed() -> None:
    given = ["--slice", "1/3", "-n", "0", "--hypothesis-seed=9"]
    assert after_plugin(given) == ["-m", "not alone", *SLOWEST, *given]


@pytest.fixture
def lanes(monkeypatch):
    ran: list[str] = []
    codes: dict[str, int] = {}

    def run(command, environment) -> int:
        name = Path(command[0]).name if "pytest" not in command else "pytest"
        ran.append(name + (" deep" if environment.get("SHELFWAY_DEEP") else ""))
        return codes.get(name, 0)

    monkeypatch.setattr(testing, "run", run)
    monkeypatch.delenv("SHELFWAY_DEEP", raising=False)
    return ran, codes


def test_lint_and_types_run_first_when_the_whole_suite_runs(lanes) -> None:
    assert testing.test([], deep=False) == 0
    assert lanes[0] == ["ruff", "ruff", "basedpyright", "pytest", "pytest"]


def test_a_slice_without_a_test_of_a_kind_is_fine(lanes) -> None:
    lanes[1].update(pytest=5)
    assert testing.test(["--slice", "1/9"], deep=False) == 0
    assert testing.test(["-k", "nothing"], deep=False) == 5


def test_pytest_alone_runs_when_something_is_selected(lanes) -> None:
    assert testing.test(["-k", "x"], deep=True) == 0
    assert lanes[0] == ["pytest deep"]


def test_all_lanes_run_and_the_first_failure_counts_when_one_fails(lanes, capsys) -> None:
    lanes[1].update(basedpyright=2, pytest=1)
    assert testing.test([], deep=False) == 2
    assert lanes[0][-1] == "pytest"
    assert "types failed with 2" in capsys.readouterr().out


def test_each_test_is_in_one_slice_when_a_suite_is_cut() -> None:
    names = [f"tests/test_some.py::test_{n}" for n in range(60)]
    parts = [sliced(names, (part, 3)) for part in (1, 2, 3)]
    assert all(parts)
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert sliced(list(reversed(names)), (1, 3)) == list(reversed(parts[0]))


def sliced(names: list[str], part: tuple[int, int]) -> list[str]:
    items = [SimpleNamespace(nodeid=name) for name in names]
    gone: list[SimpleNamespace] = []
    hook = SimpleNamespace(pytest_deselected=lambda *, items: gone.extend(items))
    slices.pytest_collection_modifyitems(SimpleNamespace(getoption=lambda _: part, hook=hook), items)
    assert len(items) + len(gone) == len(names)
    return [item.nodeid for item in items]


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0"])
def test_an_error_is_raised_when_a_slice_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not K/N"):
        slices._parsed(text)
