"""CPU time by process, from /proc: what a run cost, not how long it took. Linux only."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def cpu_ms(pids: Iterable[int]) -> float:
    """Milliseconds of CPU that these processes and all their children, ended ones included, have used so far."""
    return sum(_of(pid) for pid in family(pids)) * 1000 / _TICK


def family(pids: Iterable[int]) -> set[int]:
    parents = dict(_parents())
    wanted = set(pids)
    while grown := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
        wanted |= grown
    return wanted


def _parents() -> Iterable[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            yield int(entry.name), int(fields[1])


def _of(pid: int) -> int:
    """utime, stime and those of children that were waited for."""
    fields = _stat(pid)
    return sum(int(fields[i]) for i in (11, 12, 13, 14)) if fields else 0


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after}
