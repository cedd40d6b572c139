"""What ends a case by itself: an event in its order's story. Pure; a case that no event ends, a person closes.

A person may close any other, too (`POST /v1/cases/{id}/close`). A case about a shelf is of no order: its count ends it
(`models.stores.shelf`). docs/ops.md says the same in words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from models.returning import ReturnEffect
from models.shipment import Effect
from models.words import CaseType, IntentState

SETTLE: Final = "settle"  # the stuck effect of a closed order's money
NO_OUTCOME: Final = "no_outcome"  # of an effect that nobody knows the outcome of

# Why an order is held whose money somebody moved, or we moved and forgot.
CAPTURED_OUTSIDE: Final = "captured_outside"
FORGOTTEN_CANCEL: Final = "forgotten_cancel"
FORGOTTEN_REFUND: Final = "forgotten_refund"
_CONTRADICTED: Final = frozenset[object]({CAPTURED_OUTSIDE, FORGOTTEN_CANCEL, FORGOTTEN_REFUND})


@dataclass(frozen=True, slots=True)
class Told:
    """An event of an order's story."""

    order_id: str
    event: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """An event that ends a case whose subject its datum `about` is or holds; without `about`, any of the order.

    `having`: only where these data are among these. `effects`: only where one of these is what is stuck.
    """

    event: str
    about: str | None = "shipment"
    having: Mapping[str, frozenset[object]] = field(default_factory=dict[str, frozenset[object]])
    effects: frozenset[str] = frozenset()

    def is_met(self, told: Told, subject: str, effect: object) -> bool:
        """What is about no part of the order is about the order itself."""
        if told.event != self.event or (self.effects and effect not in self.effects):
            return False
        if any(told.data.get(name) not in wanted for name, wanted in self.having.items()):
            return False
        named = told.order_id if self.about is None else told.data.get(self.about) or told.order_id
        return self.about is None or subject == named or (isinstance(named, list) and subject in named)


def _succeeds(*effects: str, events: tuple[str, ...], about: str | None = "shipment") -> tuple[End, ...]:
    """What these effects tell when they were done after all, by a review or a retry."""
    return tuple(End(event, about, effects=frozenset(effects)) for event in events)


_RE_SOURCED: Final = End("shipment.re_sourced", having={"left": frozenset({0})})  # all of it, not what was lost alone
_GONE: Final = (End("shipment.cancelled"), End("shipment.rejected"), _RE_SOURCED)
_PAID: Final = (End("payment.captured"), End("payment.none_due"))
_WAITS_OVER: Final = frozenset[object](
    {
        CaseType.OVERDUE_PACK.value,
        CaseType.OVERDUE_HAND_OVER.value,
        CaseType.TRACKING_SILENT.value,
        CaseType.HOLD_OVERDUE.value,
        CaseType.AWAITING_CUSTOMER.value,
    }
)
_ANSWERS: Final = (
    "payment.authorized",
    "payment.authorized_too_late",
    "payment.authorization_refused",
    "payment.never_authorized",
    "payment.requires_action",
    "payment.lapsing",
    "order.confirmed",
    "order.failed",
    "order.expired",
)
_RETURN: Final = tuple(
    f"return.{word}"
    for word in (
        *(f"label_{done}" for done in ("bought", "used", "struck_out", "refund_requested")),
        "received",
        "on_its_way",
        "reminded",
        "ended",
        "run_resumed",
    )
)
_HOLDS_NOTHING: Final = frozenset[object](state.value for state in IntentState if state is not IntentState.OPEN)
_RUNS: Final = frozenset({*(effect.value for effect in Effect), SETTLE})

_STUCK: Final = (
    End("order.retried", None, effects=_RUNS),
    End("run.resumed", None, effects=_RUNS),
    End("shipment.cancelled", effects=_RUNS),
    *_succeeds(Effect.VERIFY_ADDRESS, events=("order.reserved", "order.failed", "order.expired"), about=None),
    *_succeeds(
        Effect.AUTHORIZE,
        Effect.FIND_AUTHORIZATION,
        Effect.AUTHORIZE_REST,
        Effect.KEEP_ALIVE,
        events=_ANSWERS,
        about=None,
    ),
    *_succeeds(Effect.OBEY, events=("command.done", "command.refused")),
    *_succeeds(Effect.OBEY, events=("order.cancel_requested",), about=None),
    *_succeeds(
        Effect.APPLY_FACTS,
        events=("payment.reported", "shipment.handed_over", "shipment.delivered", "shipment.units_lost"),
        about=None,
    ),
    End("case.opened", None, {"type": frozenset({CaseType.SENSELESS_COMMAND.value})}, frozenset({Effect.REPORT})),
    *_succeeds(
        Effect.LAPSE, events=("shipment.rejected", "shipment.leaving", "shipment.packed", "shipment.handed_over")
    ),
    *_succeeds(Effect.LAPSE, events=("shipment.on_its_way", "shipment.delivered")),
    End("case.opened", "subject", {"type": _WAITS_OVER}, frozenset({Effect.LAPSE})),
    *_succeeds(Effect.BUY_LABEL, events=("label.bought", "label.used", "label.struck_out")),
    *_succeeds(Effect.VOID_LABEL, events=("label.refund_requested", "label.struck_out")),
    *_succeeds(Effect.CAPTURE, events=("payment.captured", "payment.none_due", "payment.capture_refused")),
    *_succeeds(Effect.VOID, SETTLE, events=("payment.voided",), about=None),
    End("payment.void_refused", None, {"state": _HOLDS_NOTHING}, frozenset({Effect.VOID, SETTLE})),
    *_succeeds(Effect.REFUND, SETTLE, events=("payment.refunded", "payment.refund_failed"), about=None),
    *_succeeds(Effect.LOOK, SETTLE, events=("payment.looked_at",), about=None),
    *_succeeds(Effect.UNDO, events=("shipment.cancelled",)),
    *_succeeds(Effect.EXPIRE, events=("order.expired",), about=None),
    *_succeeds(Effect.CLOSE, events=("order.closed",), about=None),
    *_succeeds(*ReturnEffect, events=_RETURN, about="return"),
    *_succeeds(NO_OUTCOME, events=("outcome.known",), about="operation"),
)

ENDS: Final[Mapping[CaseType, tuple[End, ...]]] = {
    CaseType.STUCK_EFFECT: _STUCK,
    CaseType.OVERDUE_PACK: (End("shipment.packed"), *_GONE),
    CaseType.OVERDUE_HAND_OVER: (End("shipment.handed_over"), *_GONE),
    CaseType.TRACKING_SILENT: (
        End("shipment.on_its_way"),
        End("shipment.delivered"),
    ),
    CaseType.UNSOURCED: (_RE_SOURCED, End("shipment.cancelled")),
    CaseType.LABEL_IMPOSSIBLE: (
        End("label.bought"),
        *_GONE,
        *(End(event, "return") for event in ("return.label_bought", "return.received", "return.ended")),
    ),
    CaseType.CAPTURE_REFUSED: (*_PAID, *_GONE),
    CaseType.AWAITING_CUSTOMER: (End("customer.settled", None),),
    CaseType.HOLD_OVERDUE: (End("hold.released", "freed"), End("label.bought"), *_PAID, *_GONE),
    CaseType.UNKNOWN_FACT: (),
    CaseType.SENSELESS_COMMAND: (),
    CaseType.TRACKING_CONTRADICTS: (),
    CaseType.RETURN_MISSING: (),
    CaseType.REFUND_FAILED: (
        End("payment.refunded", "intent", {"state": frozenset({"succeeded"}), "refused": frozenset({0})}),
    ),
    CaseType.PAYMENT_CONTRADICTS: (End("hold.released", None, {"reason": _CONTRADICTED}),),
    CaseType.DELIVERY_TROUBLE: (End("shipment.delivered"),),
    CaseType.STOCK_MISSING: (),
    CaseType.LABEL_NOT_REFUNDED: (
        End("label.refund_known", "label", {"status": frozenset({"refunded", "not_applicable"})}),
    ),
}

_ENDING: Final = frozenset(end.event for ends in ENDS.values() for end in ends)


def may_end(event: str) -> bool:
    """Whether it ends any case at all."""
    return event in _ENDING


def is_ended(kind: CaseType, subject: str, detail: Mapping[str, Any], told: Told) -> bool:
    """Whether what was told ends this case."""
    return any(end.is_met(told, subject, detail.get("effect")) for end in ENDS[kind])
