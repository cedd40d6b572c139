"""What a vendor says happened, in our words. Values only."""

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
