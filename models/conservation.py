"""What an examination of the whole says: what was looked at, and what is wrong, in words for a person. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `code` is the promise it breaks (O1 to O7), `order_id` the order it is about, if any."""

    code: str
    subject: str
    message: str
    order_id: str | None = None

    def __str__(self) -> str:
        return f"{self.code} {self.subject}: {self.message}"


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: how many things it looked at, and what it found. An order in motion may fail one `at_rest`."""

    code: str
    what: str
    looked_at: int
    findings: tuple[Finding, ...]
    at_rest: bool = False


@dataclass(frozen=True, slots=True)
class Motion:
    """Orders that are between two states. `moving` says what each waits for, which is not a person or a deadline.

    `stuck` are those whose next effect failed for good and has a case. `revisions` tells whether an order changed.
    """

    moving: Mapping[str, str]
    stuck: frozenset[str]
    revisions: Mapping[str, int]

    def until(self, later: "Motion") -> Mapping[str, str]:
        """All that moved at any time between this look and a later one."""
        changed = {
            order_id: "it changed meanwhile"
            for order_id, revision in later.revisions.items()
            if self.revisions.get(order_id) != revision
        }
        return {**changed, **self.moving, **later.moving}


@dataclass(frozen=True, slots=True)
class Report:
    """Every check, with the orders that were not judged by the checks `at_rest` and why."""

    checked: tuple[Checked, ...]
    not_judged: Mapping[str, str]

    @property
    def findings(self) -> list[Finding]:
        return [finding for check in self.checked for finding in check.findings]
