"""What the commands tell a person: plain lines, and steps that show how long they take. Nothing for machines."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Say:
    """Writes to one console; may be called from several threads."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stdout, highlight=False, soft_wrap=True)

    def __call__(self, text: str, style: str | None = None) -> None:
        self.console.print(text, style=style, markup=False)

    @contextmanager
    def step(self, what: str) -> Generator[None]:
        """A long step: on a terminal a spinner with its seconds, at the end a line that stays. Errors pass through."""
        began = time.monotonic()
        with self._spinner(what):
            yield
        self(f"{time.monotonic() - began:5.1f} s  {what}")

    @contextmanager
    def _spinner(self, what: str) -> Generator[None]:
        if not self.console.is_terminal:
            self(f"    ...  {what}")
            yield
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            progress.add_task(what, total=None)
            yield
