"""What goes wrong when: a pure function of the seed. The same seed gives the same faults at the same seconds.

Faults come in rounds. A round has every kind once, in an order of its own, so that a minute meets all of them.
"""

import random
from dataclasses import dataclass
from typing import Final

from cli.chaos.proxy import Trouble

KILL: Final = "kill"
PROCESSES: Final = ("worker", "api", "relay", "temporal", "postgres")
SERVERS: Final = ("postgres", "temporal", "stripe", "easypost")  # those that a proxy stands before

ROUND: Final = 60.0  # seconds
_LASTS: Final = (0.5, 8.0)  # seconds of trouble at a proxy
_LATER: Final = {"postgres": (0.02, 0.1), "temporal": (0.05, 0.5), "stripe": (0.3, 5.0), "easypost": (0.3, 5.0)}
_APART: Final = 15.0  # seconds between two kills of one process: who dies at every start cannot be kept up


@dataclass(frozen=True, slots=True)
class Fault:
    """At this second of the run. `lasts` and `later` (by how much answers come late) are seconds, zero for a kill."""

    at: float
    target: str
    kind: str
    lasts: float = 0.0
    later: float = 0.0

    def __str__(self) -> str:
        if self.kind == KILL:
            return f"kill -9 {self.target}"
        late = f" of {self.later:.2f} s" if self.later else ""
        return f"{self.kind}{late} before {self.target} for {self.lasts:.1f} s"


def schedule(seed: int, seconds: float) -> tuple[Fault, ...]:
    """The faults of a run, in order; each has ended before `seconds` are over."""
    chance = random.Random(seed)  # noqa: S311 (to be repeated)
    faults: list[Fault] = []
    last: list[tuple[str, str]] = []
    for number in range(int(seconds // ROUND) + 1):
        last = _shuffled(chance, last)
        slot = ROUND / len(last)
        for place, (target, kind) in enumerate(last):
            at = number * ROUND + (place + chance.uniform(0.1, 0.9)) * slot
            faults.append(_fault(chance, round(at, 2), target, kind))
    return tuple(sorted((f for f in faults if f.at + f.lasts <= seconds), key=lambda fault: fault.at))


def _fault(chance: random.Random, at: float, target: str, kind: str) -> Fault:
    if kind == KILL:
        return Fault(at, target, kind)
    later = round(chance.uniform(*_LATER[target]), 2) if kind == Trouble.LATENCY else 0.0
    return Fault(at, target, kind, round(chance.uniform(*_LASTS), 2), later)


def _shuffled(chance: random.Random, before: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A round's faults, until no process is killed twice in a row too soon over the seam of two rounds."""
    every = [(process, KILL) for process in PROCESSES]
    every += [(server, trouble) for server in SERVERS for trouble in Trouble]
    few = round(_APART / ROUND * len(every))
    while True:
        chance.shuffle(every)
        both = [name for name, kind in before[-few:] if kind == KILL] + [n for n, k in every[:few] if k == KILL]
        if len(both) == len(set(both)):
            return every
