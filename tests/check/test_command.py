"""`./shelfway check`: a table of what was checked, then what is wrong; it ends with 1 when anything is."""

import os
import subprocess
import sys
from pathlib import Path

from tests.check.conftest import Copy


def check(copy: Copy, root: Path, **changes: str) -> tuple[int, str]:
    variables = {
        "SHELFWAY_DATABASE_URL": copy.stack.urls.app,
        "SHELFWAY_STRIPE_API_BASE": copy.stack.stripe.url,
        "SHELFWAY_EASYPOST_API_BASE": f"{copy.stack.easypost.url}/v2",
        "TEMPORAL_ADDRESS": copy.stack.temporal.address,
        **changes,
    }
    command = [sys.executable, "-c", "from cli.main import app; app()", "check"]
    done = subprocess.run(command, cwd=root, env=os.environ | variables, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_it_ends_well_when_all_agrees(copy: Copy, root: Path) -> None:
    code, printed = check(copy, root)
    assert code == 0, printed
    assert "All is as it should be." in printed
    for what in (
        "stock rows: on hand is the sum",
        "Stripe's ledger",
        "carrier's ledger",
        "open orders: each has one run",
    ):
        assert what in printed


def test_it_names_what_is_wrong_and_ends_with_1_when_anything_is(copy: Copy, root: Path) -> None:
    copy.plant("UPDATE orders SET status = 'delivered' WHERE id = :waiting")
    code, printed = check(copy, root)
    assert code == 1
    assert (
        f"wrong: O7 {copy.orders['waiting']}: the status is delivered, its units and standing give confirmed" in printed
    )


def test_it_says_what_is_in_motion_and_ends_well_when_nothing_else_is(copy: Copy, root: Path) -> None:
    copy.plant("UPDATE intents SET look_due = true, capturable = 0 WHERE order_id = :waiting")
    code, printed = check(copy, root)
    assert code == 0, printed
    assert f"in motion, not judged: {copy.orders['waiting']} (an authorization is to be read anew)" in printed


def test_it_judges_nothing_when_a_ledger_does_not_answer(copy: Copy, root: Path) -> None:
    code, printed = check(copy, root, SHELFWAY_STRIPE_API_BASE="http://127.0.0.1:9")
    assert code == 1
    assert "nothing was judged" in printed
    assert "Traceback" not in printed
