"""An `up` as a child process, with a state of its own beside that of the checkout."""

import json
import os
import subprocess
import sys
from pathlib import Path

from cli.processes import ROOT


class Up:
    """An `up` with a state of its own beside that of the checkout, as a second checkout has."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.output = state.parent / f"{state.name}.out"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("SHELFWAY_", "TEMPORAL_"))}
        self.environment["SHELFWAY_STATE"] = str(state)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> "Up":
        with self.output.open("wb") as output:
            command = [sys.executable, "-m", "cli", "up", *options]
            self.process = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT, env=self.environment)
        return self

    @property
    def text(self) -> str:
        return self.output.read_text()

    def says(self, text: str) -> bool:
        assert self.process is not None
        code = self.process.poll()
        assert code in (None, 0), f"`up` ended with {code}:\n{self.text}"
        return text in self.text

    def pids(self) -> dict[str, int]:
        kept = json.loads((self.state / "running.json").read_text())
        return {entry["name"]: entry["pid"] for entry in kept["processes"]}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cli", *words],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
