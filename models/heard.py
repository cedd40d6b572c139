"""What a vendor says happened, in our words: by a webhook, or read from its list when none came. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Heard:
    """A vendor's message in our words. The payload holds codes, amounts and times; never a name or an address."""

    id: str
    source: str
    kind: str
    subject: str
    occurred_at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """A span of a vendor's list: from `since` on, before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a window, oldest first within it; `after` names where the next one begins, None at the end."""

    heard: Sequence[Heard]
    after: str | None
