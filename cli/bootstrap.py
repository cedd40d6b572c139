"""Makes `.venv` from the lock file with a pinned uv, then becomes `python -m cli`. Run as a script by `./shelfway`.

It has only the standard library, of any Python from 3.11 on; two that start at once take turns.
"""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".shelfway"
TOOL = STATE / "uv"
STAMP = STATE / "environment"
PYTHON = ROOT / ".venv" / "bin" / "python"
REQUIREMENTS = ROOT / "deploy" / "uv.txt"

NO_PIP = """This Python has neither `venv` with pip nor `pip`: {python}
On Debian and Ubuntu: apt-get install python3-venv; on Fedora: dnf install python3-pip.
Or name another Python, 3.11 or newer: SHELFWAY_PYTHON=/path/to/python ./shelfway ..."""


def main() -> None:
    want = os.environ.pop("SHELFWAY_ENVIRONMENT")
    STATE.mkdir(exist_ok=True)
    with (STATE / "environment.lock").open("w") as lock:
        wait_for_turn(lock.fileno())
        if not (STAMP.exists() and STAMP.read_text() == want and PYTHON.exists()):
            STAMP.unlink(missing_ok=True)
            install(uv())
            STAMP.write_text(want)
    os.execv(PYTHON, [str(PYTHON), "-m", "cli", *sys.argv[1:]])  # noqa: S606 (no shell is wanted)


def wait_for_turn(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another start is setting up; waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)


def uv() -> Path:
    """The pinned uv, installed by pip with its hash checked: in a venv, or where there is none, in a folder."""
    mark = TOOL / "requirements.txt"
    program = TOOL / "bin" / "uv"
    if program.exists() and mark.exists() and mark.read_bytes() == REQUIREMENTS.read_bytes():
        return program
    say("getting uv, the installer")
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    if has("ensurepip") and has("venv"):
        run([sys.executable, "-m", "venv", "--clear", str(TOOL)])
        run([str(TOOL / "bin" / "python"), *pip, "-r", str(REQUIREMENTS)])
    elif has("pip"):
        run([sys.executable, *pip, "--upgrade", "--target", str(TOOL), "-r", str(REQUIREMENTS)])
    else:
        sys.exit("shelfway: " + NO_PIP.format(python=sys.executable))
    mark.write_bytes(REQUIREMENTS.read_bytes())
    return program


def install(program: Path) -> None:
    """`uv sync --frozen`; keeps a `.venv` whose Python will do, and says how long it took."""
    say("installing the packages of uv.lock (about 1 GB on disk)")
    began = time.monotonic()
    environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never", "UV_PROJECT_ENVIRONMENT": str(ROOT / ".venv")}
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"):
        environment.pop(name, None)
    if not os.access(Path.home(), os.W_OK):
        environment.setdefault("UV_CACHE_DIR", str(STATE / "uv-cache"))
    python = [] if PYTHON.exists() else ["--python", sys.executable]
    progress = [] if sys.stderr.isatty() else ["--quiet"]
    run([str(program), "sync", "--frozen", "--project", str(ROOT), *progress, *python], environment)
    say(f"installed in {time.monotonic() - began:.0f} s")


def has(module: str) -> bool:
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False)
    return done.returncode == 0


def run(command: list[str], environment: "dict[str, str] | None" = None) -> None:
    began = time.monotonic()
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr) as process:
        while True:
            try:
                code = process.wait(10)
                break
            except subprocess.TimeoutExpired:
                if not sys.stderr.isatty():  # there the installer shows its own progress
                    say(f"still at it, {time.monotonic() - began:.0f} s")
    if code:
        sys.exit(f"shelfway: this failed with {code}: {' '.join(command)}")


def say(text: str) -> None:
    sys.stderr.write(f"shelfway: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
