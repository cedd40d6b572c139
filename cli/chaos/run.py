"""`./shelfway chaos`: real load while processes are killed and servers are troubled, then the oracle's word.

The exit code is 1 when anything acknowledged was lost, doubled or left stuck, and everything wrong is named.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.table import Table

from cli.chaos.book import Book
from cli.chaos.judge import DRAIN, drained, ends, judge
from cli.chaos.load import Load, lay_out
from cli.chaos.recovery import Recovery
from cli.chaos.schedule import Fault, schedule
from cli.chaos.system import System, system
from cli.env import api_key
from cli.http import ApiClient
from cli.say import Say
from cli.stack import Stopped, stoppable
from cli.up import STARTING_ERRORS

SLOWEST = 3.0  # seconds that 99 of 100 answers stay under, whatever is away
RECOVERED = 30.0  # seconds within which 95 of 100 killed workers are back at work
CROWDED = 4.0  # processes that want each processor


def chaos(minutes: float, seed: int) -> int:
    """The exit code. What ran is kept, with its logs, when something was wrong."""
    say = Say()
    folder = Path(tempfile.mkdtemp(prefix="shelfway-chaos-"))
    say(f"seed {seed}; again with it: ./shelfway chaos --minutes {minutes:g} --seed {seed}", "bold")
    try:
        with stoppable():
            wrong = _run(folder, minutes * 60, seed, say)
    except Stopped:
        return 130
    except STARTING_ERRORS as error:
        say(f"shelfway chaos: {error}", "red")
        return 1
    for each in wrong:
        say(f"wrong: {each}", "bold red")
    if wrong:
        say(f"{len(wrong)} wrong; seed {seed}; the logs: {folder}", "bold red")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    say("Nothing lost, nothing doubled, nothing stuck.", "green")
    return 0


def _run(folder: Path, seconds: float, seed: int, say: Say) -> list[str]:
    book = Book()
    with system(folder, seed, say) as running:
        lay_out(ApiClient(running.places.api_url, api_key()))
        with Recovery(running, book) as recovery:
            with Load(running.places, api_key(), book, seed) as load:
                began = time.time()
                _let_it_go_wrong(running, schedule(seed, seconds), seconds, say)
                over = time.time()
                crowded = _is_crowded()
                load.stop()
                say(f"{over - began:7.1f} s  no more faults; {len(book.orders)} orders so far")
            ended = drained(running.places)
            say(f"{time.time() - began:7.1f} s  {'all has ended' if ended else f'not all has ended in {DRAIN:.0f} s'}")
            missing = recovery.missing
        wrong = judge(running.places, book)
        wrong += [f"{name} was killed and has done nothing since" for name in missing]
        wrong += [f"{name} stays down: {why}" for name, why in running.supervisor.given_up.items()]
        amid = sorted((a for a in book.answers if began <= a.at <= over), key=lambda answer: answer.took)
        answers = [answer.took for answer in amid]
        table = Table("", "", title=f"{seconds / 60:g} minutes of chaos, seed {seed}", show_header=False)
        for row in _rows(book, running, recovery, answers):
            table.add_row(*row)
        say.console.print(table)
        for answer in amid[-3:]:
            say(f"slowest: {answer.took:.1f} s for {answer.what}: {answer.status} {answer.code}")
        late = list(_late(answers, recovery))
        if not crowded:
            return wrong + late
        for each in late:
            say(f"not judged, others filled this machine: {each}", "yellow")
        return wrong


def _is_crowded() -> bool:
    """Whether more waits for the processors than this system makes them do: then it says nothing about time."""
    return os.getloadavg()[0] > CROWDED * (os.cpu_count() or 1)


def _late(answers: Sequence[float], recovery: Recovery) -> Iterator[str]:
    if (slow := _percentile(answers, 0.99)) > SLOWEST:
        yield f"answers: p99 is {slow:.1f} s, over {SLOWEST:.0f} s"
    if (late := _percentile(sorted(recovery.times["worker"]), 0.95)) > RECOVERED:
        yield f"worker: p95 of recovery is {late:.1f} s, over {RECOVERED:.0f} s"


def _let_it_go_wrong(running: System, faults: Sequence[Fault], seconds: float, say: Say) -> None:
    began = time.monotonic()
    steps = [(fault.at, fault, True) for fault in faults]
    steps += [(fault.at + fault.lasts, fault, False) for fault in faults]
    for at, fault, begins in sorted(steps, key=lambda step: step[0]):
        time.sleep(max(0.0, began + at - time.monotonic()))
        if begins:
            say(f"{at:7.1f} s  {fault}")
            running.begin(fault)
        else:
            running.end(fault)
    time.sleep(max(0.0, began + seconds - time.monotonic()))


def _rows(book: Book, running: System, recovery: Recovery, answers: Sequence[float]) -> Iterator[tuple[str, str]]:
    by_end = ends(running.places)
    yield "orders", f"{sum(by_end.values())}: {_counted(by_end)}"
    yield "commands, returns", f"{len(book.commands)}, {len(book.returns)}"
    kills = Counter(name for _, name in running.killed)
    yield "kills", f"{kills.total()}: {_counted(kills)}"
    yield "replies lost", _counted({name: proxy.lost for name, proxy in running.proxies.by_name.items()})
    for name, times in sorted(recovery.times.items()):
        row = sorted(times)
        figures = f"p50 {statistics.median(row):.1f}  p95 {_percentile(row, 0.95):.1f}  max {row[-1]:.1f}"
        yield f"{name} back after, s", figures
    figures = f"p50 {_percentile(answers, 0.5):.2f}  p99 {_percentile(answers, 0.99):.2f}"
    yield "answers amid faults, s", f"{len(answers)}: {figures}  max {max(answers, default=0.0):.2f}"
    yield "no answer at all", str(book.unanswered)
    yield "5xx", _counted(book.server_errors()) or "none"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Zero of nothing."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
