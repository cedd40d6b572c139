"""A bank in memory with a ledger of its own: it does each operation once by its key, and refuses what no bank would do.

What it holds is never read from our rows, so that the two can be compared to the cent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from models.words import IntentState, OperationKind, Outcome
from tests.unit.order_rows import Intent, Operation

HOLDING = (IntentState.OPEN, IntentState.REQUIRES_ACTION)


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: Outcome
    reason: str | None = None
    intent_id: str | None = None


@dataclass
class Bank:
    luck: Callable[[str], bool]
    multicapture: bool
    intents: dict[str, Intent] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        return sum(intent.received - intent.given_back for intent in self.intents.values())

    @property
    def held(self) -> list[str]:
        return [intent.id for intent in self.intents.values() if intent.state in HOLDING]

    def look(self, intent_id: str) -> Intent:
        """As it is now; a copy, for our books."""
        return replace(self.intents[intent_id])

    def ask(self, operation: Operation, now: datetime) -> Answer:
        """Do it, or answer what was answered before."""
        assert self.asked.setdefault(operation.key, operation.amount) == operation.amount, "a key for another amount"
        if operation.key not in self.answers:
            self.answers[operation.key] = self._do(operation, now)
        return self.answers[operation.key]

    def lapse(self) -> None:
        """The bank gives up what was not captured in time."""
        for intent in self.intents.values():
            if intent.state in HOLDING:
                intent.state, intent.capturable = _released(intent), 0
                return

    def authenticate(self) -> None:
        """The customer answers 3-D Secure, one way or the other."""
        for intent in self.intents.values():
            if intent.state is IntentState.REQUIRES_ACTION:
                is_well = self.luck("authenticated")
                intent.state = IntentState.OPEN if is_well else IntentState.REFUSED
                intent.capturable = intent.amount if is_well else 0

    def _do(self, operation: Operation, now: datetime) -> Answer:
        match operation.kind:
            case OperationKind.AUTHORIZE:
                return self._authorize(operation, now)
            case OperationKind.CAPTURE:
                return self._capture(operation, self.intents[operation.intent_id or ""])
            case OperationKind.REFUND:
                return self._refund(operation, self.intents[operation.intent_id or ""])
            case OperationKind.VOID:
                intent = self.intents[operation.intent_id or ""]
                if intent.state in HOLDING:
                    intent.state, intent.capturable = _released(intent), 0
                return Answer(Outcome.SUCCEEDED)

    def _authorize(self, operation: Operation, now: datetime) -> Answer:
        assert operation.amount > 0, "an authorization of nothing"
        first = operation.leg == 1
        if self.luck("declined"):
            for_good = first or self.luck("3-D Secure is wanted")
            return Answer(Outcome.REFUSED, "authentication_required" if for_good else "insufficient_funds")
        waits = first and self.luck("3-D Secure")
        intent = Intent(
            id=f"pi_{len(self.intents)}",
            amount=operation.amount,
            capturable=0 if waits else operation.amount,
            state=IntentState.REQUIRES_ACTION if waits else IntentState.OPEN,
            multicapture=self.multicapture,
            capture_before=now + timedelta(days=7),
        )
        self.intents[intent.id] = intent
        return Answer(Outcome.REQUIRES_ACTION if waits else Outcome.SUCCEEDED, intent_id=intent.id)

    def _capture(self, operation: Operation, intent: Intent) -> Answer:
        if intent.state is not IntentState.OPEN or self.luck("capture refused"):
            return Answer(Outcome.REFUSED, "charge_expired")
        assert 0 < operation.amount <= intent.capturable, "a capture of more than is authorized"
        assert intent.multicapture or not intent.received, "a second capture of one authorization"
        intent.received += operation.amount
        intent.capturable = 0 if operation.final else intent.capturable - operation.amount
        if not intent.capturable:
            intent.state = IntentState.CAPTURED
        return Answer(Outcome.SUCCEEDED)

    def _refund(self, operation: Operation, intent: Intent) -> Answer:
        assert 0 < operation.amount <= intent.received - intent.given_back, "more given back than taken"
        if self.luck("refund refused"):
            return Answer(Outcome.REFUSED, "lost_or_stolen_card" if self.luck("card closed") else "declined")
        intent.given_back += operation.amount
        return Answer(Outcome.PENDING if self.luck("refund on its way") else Outcome.SUCCEEDED)


def _released(intent: Intent) -> IntentState:
    return IntentState.CAPTURED if intent.received else IntentState.VOIDED
