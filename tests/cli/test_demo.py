"""`./shelfway demo`: a play starts its own system where none runs, uses the one that does, and its exit code is true."""

import pytest

from cli.demo_command import demo
from cli.plays import PLAYS
from tests.cli.checkout import Up

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("up")]


def test_the_plays_are_listed_when_none_is_named(capsys: pytest.CaptureFixture[str]):
    assert demo(None) == 0
    told = capsys.readouterr().out
    assert all(f"./shelfway demo {name}" in told for name in PLAYS)


def test_2_when_there_is_no_such_play(capsys: pytest.CaptureFixture[str]):
    assert demo("hamlet") == 2
    assert "no play 'hamlet'" in capsys.readouterr().out


def test_another_shelf_ships_when_the_store_stays_silent_and_nothing_runs(up):
    made: Up = up()
    told = made.command("demo", "silent-store")
    assert told.returncode == 0, told.stdout
    for words in ("Wicker Park did not answer in time", "Columbus ships it instead", "is delivered: http"):
        assert words in told.stdout
    assert "-1 AUR-EYE-QUA-008 at loc_wh_columbus (hand_over)" in told.stdout
    assert "Captures  $52.70 of pi_" in told.stdout


def test_each_play_comes_out_when_an_up_runs(up, until):
    made: Up = up().start("--no-sample")
    until(lambda: made.says("Ctrl-C stops everything"), 240)
    told = {name: made.command("demo", name) for name in ("declined", "out-of-stock", "3-d-secure")}
    assert {name: each.returncode for name, each in told.items()} == dict.fromkeys(told, 0), told
    assert "The card is declined" in told["declined"].stdout
    assert "Labels    none" in told["out-of-stock"].stdout
    assert "The bank wants to see its customer" in told["3-d-secure"].stdout
    assert all("servers:" not in each.stdout for each in told.values())
