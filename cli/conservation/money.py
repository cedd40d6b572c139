"""O4: Stripe's ledger beside our books. What was taken, held and given back there is what we say, once each.

It reads the sandbox's ledger as JSON and our rows as they are; it decides nothing and calls nobody.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, Field

from models.conservation import Checked, Finding
from models.ids import operation_of
from models.money import format_money, from_stripe
from models.stores.conservation_books import OrderBooks
from models.tables.payments import PaymentOperation
from models.words import IntentState, OperationKind, Outcome, UnitState

_GIVEN_BACK: Final = frozenset({UnitState.CANCELLED, UnitState.RETURNED, UnitState.LOST})
_HOLDING: Final = frozenset({"requires_capture", "requires_action", "requires_confirmation", "processing"})
_THERE: Final = {
    IntentState.OPEN: "requires_capture",
    IntentState.REQUIRES_ACTION: "requires_action",
    IntentState.CAPTURED: "succeeded",
    IntentState.VOIDED: "canceled",
    IntentState.REFUSED: "requires_payment_method",
}
_DONE: Final = {
    OperationKind.AUTHORIZE: frozenset({Outcome.SUCCEEDED, Outcome.REQUIRES_ACTION}),
    OperationKind.CAPTURE: frozenset({Outcome.SUCCEEDED}),
    OperationKind.REFUND: frozenset({Outcome.SUCCEEDED, Outcome.PENDING}),
}


class Capture(BaseModel):
    amount: int
    idempotency_key: str | None = None

    @property
    def key(self) -> str:
        return operation_of(self.idempotency_key) if self.idempotency_key else "(no key)"

    @property
    def leg(self) -> str:
        """The key without its count of attempts: order, shipment, tender and intent."""
        return self.key.rpartition(":")[0] or self.key


class Refund(BaseModel):
    id: str
    amount: int
    status: str
    idempotency_key: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.metadata.get("operation") or self.idempotency_key or self.id

    @property
    def counts(self) -> bool:
        return self.status not in ("failed", "canceled")


class Intent(BaseModel):
    """A PaymentIntent of the ledger; amounts are Stripe's."""

    id: str
    status: str
    amount: int
    amount_capturable: int
    amount_received: int
    currency: str
    idempotency_key: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    captures: list[Capture] = []
    refunds: list[Refund] = []

    @property
    def order_id(self) -> str | None:
        return self.metadata.get("order_id")

    @property
    def key(self) -> str:
        return self.metadata.get("operation") or self.idempotency_key or "(no key)"

    @property
    def captured(self) -> int:
        return sum(capture.amount for capture in self.captures)

    @property
    def refunded(self) -> int:
        return sum(refund.amount for refund in self.refunds if refund.counts)

    def ours(self, amount: int) -> int:
        return from_stripe(amount, self.currency)

    def shown(self, amount: int) -> str:
        return format_money(self.ours(amount), self.currency)


def compare(books: Mapping[str, OrderBooks], ledger: Sequence[Mapping[str, Any]]) -> list[Checked]:
    """Every check of O4 that needs the ledger; `ledger` is its list of intents."""
    intents = [Intent.model_validate(intent) for intent in ledger]
    return [
        Checked(check.code, check.what, len(intents), tuple(check.find(books, intents)), check.at_rest)
        for check in _CHECKS
    ]


def _once(_: Mapping[str, OrderBooks], intents: Sequence[Intent]) -> Iterator[Finding]:
    for intent in intents:
        for leg, count in Counter(capture.leg for capture in intent.captures).items():
            if count > 1:
                amounts = ", ".join(intent.shown(c.amount) for c in intent.captures if c.leg == leg)
                yield _of(intent, f"{leg} was captured {count} times: {amounts}")


def _no_more_than_authorized(_: Mapping[str, OrderBooks], intents: Sequence[Intent]) -> Iterator[Finding]:
    for intent in intents:
        if intent.captured > intent.amount:
            yield _of(intent, f"{intent.shown(intent.captured)} taken of {intent.shown(intent.amount)} authorized")


def _no_more_refunded(_: Mapping[str, OrderBooks], intents: Sequence[Intent]) -> Iterator[Finding]:
    for intent in intents:
        if intent.refunded > intent.captured:
            yield _of(intent, f"{intent.shown(intent.refunded)} given back of {intent.shown(intent.captured)} taken")


def _known_orders(books: Mapping[str, OrderBooks], intents: Sequence[Intent]) -> Iterator[Finding]:
    for intent in intents:
        ended = intent.status == "canceled" and not intent.captures  # let go, and a case
        if intent.order_id not in books and not ended:
            yield _of(intent, f"Stripe has it for {intent.order_id or 'no order'}, which our books do not know")


@dataclass(frozen=True, slots=True)
class _Effect:
    """What Stripe did when it was asked with `key`; `holds` is false for an authorization declined or ended."""

    key: str
    kind: OperationKind
    intent: Intent
    amount: int
    holds: bool = True


def _effects(intents: Sequence[Intent]) -> Iterator[_Effect]:
    for intent in intents:
        holds = intent.status in _HOLDING or bool(intent.captures)
        yield _Effect(intent.key, OperationKind.AUTHORIZE, intent, intent.amount, holds)
        for capture in intent.captures:
            yield _Effect(capture.key, OperationKind.CAPTURE, intent, capture.amount)
        for refund in intent.refunds:
            if refund.counts:
                yield _Effect(refund.key, OperationKind.REFUND, intent, refund.amount)


def _recorded(books: Mapping[str, OrderBooks], intents: Sequence[Intent]) -> Iterator[Finding]:
    """Both ways: what the ledger has, and what our books say succeeded, key by key."""
    by_order = _by_order(intents)
    for order in books.values():
        effects = list(_effects(by_order[order.id]))
        planned = {operation.key: operation for operation in order.operations}
        for effect in effects:
            if wrong := _not_as_planned(order, effect, planned.get(effect.key)):
                yield _about(order, effect.key, wrong)
        there = {effect.key for effect in effects}
        for operation in order.operations:
            if operation.outcome in _DONE.get(operation.kind, ()) and operation.key not in there:
                said = _money(order, operation.amount)
                yield _about(order, operation.key, f"our books say {operation.kind} of {said}; Stripe has none")


def _not_as_planned(order: OrderBooks, effect: _Effect, planned: PaymentOperation | None) -> str | None:
    intent = effect.intent
    did = f"Stripe did {effect.kind} of {intent.shown(effect.amount)} on {intent.id}"
    if planned is None:
        return f"{did}, which our books never planned"
    if effect.holds and planned.outcome not in _DONE[effect.kind]:
        return f"{did}; our books say {planned.outcome or 'nothing yet'}"
    if effect.holds and (planned.amount, planned.intent_id) != (intent.ours(effect.amount), intent.id):
        return f"{did}; our books say {_money(order, planned.amount)} on {planned.intent_id}"
    return None


def _same_state(books: Mapping[str, OrderBooks], intents: Sequence[Intent]) -> Iterator[Finding]:
    there = {intent.id: intent for intent in intents}
    for order in books.values():
        for row in order.intents:
            intent = there.get(row.id)
            if intent is None:
                yield _about(order, row.id, f"our books have this intent ({row.state}); Stripe does not")
                continue
            ours = (_THERE[row.state], row.amount, row.capturable, row.received)
            amounts = (intent.amount, intent.amount_capturable, intent.amount_received)
            theirs = (intent.status, *(intent.ours(amount) for amount in amounts))
            if ours != theirs:
                words = "status, amount, capturable and received are"
                yield _about(order, row.id, f"{words} {theirs} at Stripe and {ours} in our books")


def _ended_for_nothing(books: Mapping[str, OrderBooks], intents: Sequence[Intent]) -> Iterator[Finding]:
    by_order = _by_order(intents)
    for order in books.values():
        if not order.came_to_nothing:
            continue
        for intent in by_order[order.id]:
            if intent.status in _HOLDING:
                held = intent.shown(intent.amount_capturable or intent.amount)
                yield _of(intent, f"the order is {order.status}, yet Stripe holds {held} ({intent.status})")
        if net := _net(by_order[order.id]):
            yield _about(order, order.id, f"the order is {order.status}, yet {_money(order, net)} of it was kept")


def _value_kept(books: Mapping[str, OrderBooks], intents: Sequence[Intent]) -> Iterator[Finding]:
    """Taken less given back is what the customer has of us: the units paid for, and the shipping once anything was."""
    by_order = _by_order(intents)
    for order in books.values():
        paid = [u for u in order.units if u.captured_by and u.state not in _GIVEN_BACK]
        any_taken = any(u.captured_by for u in order.units) and not order.came_to_nothing
        due = sum(u.amount for u in paid) + (order.shipping_charge if any_taken else 0)
        kept = _net(by_order[order.id])
        if kept != due:
            words = f"{_money(order, kept)} was kept; {len(paid)} units paid for and shipping are {_money(order, due)}"
            yield _about(order, order.id, words)


def _net(intents: Sequence[Intent]) -> int:
    return sum(intent.ours(intent.captured) - intent.ours(intent.refunded) for intent in intents)


def _money(order: OrderBooks, amount: int) -> str:
    return format_money(amount, order.currency)


def _by_order(intents: Sequence[Intent]) -> Mapping[str | None, list[Intent]]:
    groups: defaultdict[str | None, list[Intent]] = defaultdict(list)
    for intent in intents:
        groups[intent.order_id].append(intent)
    return groups


def _of(intent: Intent, message: str) -> Finding:
    return Finding("O4", intent.id, message, intent.order_id)


def _about(order: OrderBooks, subject: str, message: str) -> Finding:
    return Finding("O4", subject, message, order.id)


@dataclass(frozen=True, slots=True)
class _Check:
    what: str
    find: Callable[[Mapping[str, OrderBooks], Sequence[Intent]], Iterator[Finding]]
    at_rest: bool = False
    code: str = "O4"


_CHECKS: Final = (
    _Check("Stripe's ledger: a shipment's leg is captured once", _once),
    _Check("Stripe's ledger: no more is taken than was authorized", _no_more_than_authorized),
    _Check("Stripe's ledger: no more is given back than was taken", _no_more_refunded),
    _Check("Stripe's ledger: every intent is an order's", _known_orders, at_rest=True),
    _Check("Stripe's ledger and our operations: the same, by key, amount and intent", _recorded, at_rest=True),
    _Check("Stripe's intents and ours: the same state and amounts", _same_state, at_rest=True),
    _Check("Stripe's ledger: an order that ended keeps nothing and holds nothing", _ended_for_nothing, at_rest=True),
    _Check("Stripe's ledger: what was kept is the price of what was sold", _value_kept, at_rest=True),
)
