"""`./shelfway chaos` for real: whatever dies and whatever is troubled, what was answered is kept, and all of it ends.

What is wrong is named, and the exit code is 1 then.
"""

import os
import subprocess
import sys

import pytest

from cli.processes import ROOT

MINUTES = 5 if os.environ.get("SHELFWAY_DEEP") == "1" else 1  # a slice of the deep run has ten minutes in all


@pytest.mark.alone
@pytest.mark.timeout(900)
def test_nothing_is_lost_doubled_or_stuck_when_everything_dies_under_load() -> None:
    seed = os.environ.get("SHELFWAY_SEED", "7")
    command = [sys.executable, "-m", "cli", "chaos", "--minutes", str(MINUTES), "--seed", seed]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Nothing lost, nothing doubled, nothing stuck." in run.stdout
    for process in ("worker", "api", "relay", "temporal", "postgres"):
        assert f"kill -9 {process}" in run.stdout
        assert f"{process} back after, s" in run.stdout
