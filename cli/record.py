"""`./shelfway record`: play every branch of an order's life and keep its history and facts for the replay tests.

Until release 0.1 a changed workflow records anew; from then on old histories must replay, and this adds only new ones.
"""

import os
import sys

from cli.processes import ROOT
from cli.testing import run

_HISTORIES = ROOT / "tests" / "replay" / "histories"


def record() -> int:
    """The exit code of the tests that play the branches; their histories are those of this very run."""
    for old in _HISTORIES.rglob("*.json"):
        old.unlink()
    (_HISTORIES.parent / "facts.json").unlink(missing_ok=True)
    branches = ["-n0", "-q", "tests/workflows/test_branches.py", "-k", "plain", "-x", "--durations=5"]
    return run([sys.executable, "-m", "pytest", *branches], os.environ | {"SHELFWAY_RECORD": "1"})
