"""What a return's run knows, and the inputs and results of its steps. Amounts, addresses and lots stay in rows."""

from datetime import datetime, timedelta

from models.messages.base import Message
from models.messages.commands import Asked, CommandOutcome
from models.words import ReturnStage


class ReturnFacts(Message):
    """Postgres as of the last step. `deadline` is the next reminder's, or the end of the wait for the goods."""

    stage: ReturnStage = ReturnStage.REQUESTED
    deadline: datetime | None = None
    label_due: bool = True
    void_due: bool = False  # a label that nobody used goes back
    closed: bool = False

    @property
    def over(self) -> bool:
        """Nothing is left to be done for it."""
        return self.closed and not self.void_due


class ReturnRun(Message):
    """All that decides what the run does next; carried over continue-as-new as it is."""

    known: ReturnFacts = ReturnFacts()
    asked: tuple[Asked, ...] = ()
    arrived: tuple[str, ...] = ()
    lapsed: datetime | None = None  # the deadline whose timer fired
    stuck: str = ""  # the effect that failed for good, until a review
    review_at: datetime | None = None


class ReturnInput(Message):
    """One return's run."""

    return_id: str
    order_id: str
    number: str
    brand: str
    channel: str
    summary: str = ""
    link: str = ""
    stuck_review: timedelta = timedelta(hours=1)  # after which what is stuck is tried again
    renew_at_every_idle_point: bool = False  # tests: continue as new wherever it may
    run: ReturnRun = ReturnRun()


class ReturnRef(Message):
    order_id: str
    return_id: str


class ReturnObey(Message):
    ref: ReturnRef
    asked: Asked


class ReturnNews(Message):
    ref: ReturnRef
    fact_ids: tuple[str, ...]


class ReturnLapse(Message):
    ref: ReturnRef
    deadline: datetime


class ReturnFailed(Message):
    """An effect that can never succeed as it stands: opens a case."""

    ref: ReturnRef
    effect: str
    error_type: str


class ReturnLearned(Message):
    """What Postgres holds after a step, and the command's answer where it was one."""

    facts: ReturnFacts
    outcome: CommandOutcome | None = None
