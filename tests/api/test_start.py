"""The API as a process of its own, as a container starts it."""

import os
import subprocess

from cli.apps import api_command


def test_the_process_ends_with_one_sentence_when_it_would_serve_real_money_with_the_demos_keys():
    variables = {
        "SHELFWAY_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "STRIPE_API_KEY": "sk_live_1",
        "SHELFWAY_STRIPE_WEBHOOK_SECRET": "whsec_own",
        "SHELFWAY_EASYPOST_WEBHOOK_SECRET": "own",
        "SHELFWAY_API_KEYS": '{"demo-cs": {"role": "cs", "id": "demo-cs"}}',
    }
    started = subprocess.run(
        api_command("127.0.0.1", 0), env=os.environ | variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert started.returncode == 1
    assert started.stderr == (
        "The API does not start: SHELFWAY_API_KEYS has a key of the demo's, which everybody knows, "
        "while STRIPE_API_KEY is live: set one of your own.\n"
    )
