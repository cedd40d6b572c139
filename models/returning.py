"""What a return's run does next: pure, without a clock. One thing at a time, so one step is enough."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.messages.commands import Asked
from models.messages.returns import ReturnRun
from models.shipment import Closed, Wait


class ReturnEffect(StrEnum):
    """What a step does; the name of the activity that does it."""

    BUY_RETURN_LABEL = "buy_return_label"
    VOID_RETURN_LABEL = "void_return_label"
    RECEIVE = "receive"
    APPLY_RETURN_FACTS = "apply_return_facts"
    LAPSE_RETURN = "lapse_return"


@dataclass(frozen=True, slots=True)
class ReturnDo:
    effect: ReturnEffect
    asked: Asked | None = None
    arrived: tuple[str, ...] = ()
    deadline: datetime | None = None


ReturnStep = ReturnDo | Wait | Closed


def next_return_step(run: ReturnRun) -> ReturnStep:
    """People first, then what happened outside, then the label, then the clock. What is stuck waits for its review."""
    known = run.known
    if run.asked:
        return ReturnDo(ReturnEffect.RECEIVE, asked=run.asked[0])
    if run.arrived and run.stuck != ReturnEffect.APPLY_RETURN_FACTS:
        return ReturnDo(ReturnEffect.APPLY_RETURN_FACTS, arrived=run.arrived)
    if known.void_due and run.stuck != ReturnEffect.VOID_RETURN_LABEL:
        return ReturnDo(ReturnEffect.VOID_RETURN_LABEL)
    if known.over:
        return Closed()
    if known.label_due and run.stuck != ReturnEffect.BUY_RETURN_LABEL:
        return ReturnDo(ReturnEffect.BUY_RETURN_LABEL)
    if known.deadline and run.lapsed == known.deadline:
        return ReturnDo(ReturnEffect.LAPSE_RETURN, deadline=known.deadline)
    return Wait(min((at for at in (known.deadline, run.review_at) if at), default=None))


def reminders(expires_at: datetime, before: tuple[timedelta, ...]) -> list[datetime]:
    """When the customer is reminded, and the end itself: earliest first."""
    return sorted([*(expires_at - early for early in before), expires_at])


def next_deadline(expires_at: datetime, before: tuple[timedelta, ...], now: datetime) -> datetime:
    """The first of them that is still to come; the end, once all are over."""
    return next((at for at in reminders(expires_at, before) if at > now), expires_at)
