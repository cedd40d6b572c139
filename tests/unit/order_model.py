"""A small order in memory that answers effects as the stores do, as far as it decides what comes next. No amounts.

Its facts are derived the way `Book` derives them; chance (declines, shortages, a carrier's answer) is drawn by the test.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from models.messages.commands import Asked
from models.messages.facts import PAYMENT, UNCONFIRMED, OrderFacts, PaymentFacts, Rest, ShipmentFacts
from models.refusals import cancel_refusal, refusal
from models.shipment import Do, Effect
from models.words import CommandKind, OrderStatus, Stage, Verdict

START = datetime(2030, 1, 1, tzinfo=UTC)
EXPIRES_AT = START + timedelta(minutes=15)
ENDED = frozenset({Stage.DELIVERED, Stage.RE_SOURCED, Stage.CANCELLED})
FAILED = (Verdict.DECLINED, Verdict.OUT_OF_STOCK)


@dataclass
class Parcel:
    id: str
    position: int
    store: bool
    stage: Stage = Stage.PLANNED
    deadline: datetime | None = None
    leaving: bool = False
    label: bool = False
    captured: bool = False
    refunded: bool = False
    handed_over: bool = False

    @property
    def ended(self) -> bool:
        return self.stage in ENDED


@dataclass
class OrderModel:
    """`luck(question)` answers yes or no for whatever nobody here decides."""

    luck: Callable[[str], bool]
    multicapture: bool = False
    now: datetime = START
    revision: int = 0
    verdict: Verdict | None = None
    parcels: list[Parcel] = field(default_factory=list)
    open_intents: int = 0
    asks_customer: bool = False  # an intent that requires action
    superseded: int = 0
    renew_at: datetime | None = None
    refusals: int = 0
    customer_until: datetime | None = None
    look_due: bool = False
    in_doubt: bool = False  # the first authorization was planned, and its outcome is not recorded
    held: bool = False
    delivered_at: datetime | None = None
    closed: bool = False
    undone: list[str] = field(default_factory=list)  # what undoing did, in order

    # What the workflow gets to know

    @property
    def uncaptured(self) -> list[Parcel]:
        return [
            p for p in self.parcels if not (p.captured or p.leaving or p.stage in (Stage.RE_SOURCED, Stage.CANCELLED))
        ]

    @property
    def void_due(self) -> bool:
        return bool(self.superseded or ((self.open_intents or self.asks_customer) and not self.uncaptured))

    @property
    def refund_due(self) -> list[Parcel]:
        gone = [p for p in self.parcels if p.leaving or p.stage is Stage.CANCELLED]
        return [p for p in gone if p.captured and not p.refunded]

    def rest(self) -> Rest:
        due = self.uncaptured
        if not due or self.verdict is not Verdict.CONFIRMED:
            return Rest.NONE
        if self.open_intents:
            return Rest.NONE
        return Rest.AFTER_CAPTURE if self.refusals < 2 else Rest.REFUSED

    def rest_due(self, parcel: Parcel) -> bool:
        single = self.open_intents == 1 and not self.multicapture
        return single and not self.refusals and any(p is not parcel for p in self.uncaptured)

    def facts(self) -> OrderFacts:
        self.revision += 1
        rest = self.rest()
        if rest is Rest.REFUSED:
            self.customer_until = self.customer_until or self.later()
        else:
            self.customer_until = None
        renew = self.renew_at if self.open_intents else None
        return OrderFacts(
            revision=self.revision,
            status=OrderStatus.PENDING,
            verdict=self.verdict,
            shipments=tuple(self._parcel_facts(p) for p in self.parcels),
            payment=PaymentFacts(
                open=bool(self.open_intents or self.asks_customer or self.superseded or self.refund_due)
                or rest is not Rest.NONE,
                deadline=self.customer_until if rest is Rest.REFUSED else renew,
                rest=rest,
                void_due=self.void_due,
                refund_due=bool(self.refund_due),
                look_due=self.look_due,
                in_doubt=self.in_doubt,
            ),
            expires_at=EXPIRES_AT,
            window_ends=self.delivered_at and self.delivered_at + timedelta(days=30),
            closed=self.closed,
        )

    def _parcel_facts(self, p: Parcel) -> ShipmentFacts:
        return ShipmentFacts(
            id=p.id,
            position=p.position,
            node="loc",
            store=p.store,
            stage=p.stage,
            units=(),
            deadline=p.deadline,
            leaving=p.leaving,
            label=p.label,
            paid=bool(self.open_intents) or p.captured,
            rest_due=self.rest_due(p),
            on_hold=self.held,
        )

    # What effects do

    def later(self) -> datetime:
        self.now += timedelta(hours=5)
        return self.now

    def parcel(self, key: str) -> Parcel:
        return next(p for p in self.parcels if p.id == key)

    def plan(self, step: Do) -> None:
        """What an effect records before it asks anybody."""
        self.in_doubt = self.in_doubt or (step.effect is Effect.AUTHORIZE and self.verdict is None)

    def carry_out(self, key: str, step: Do) -> OrderFacts:
        match step.effect:
            case Effect.OBEY if step.asked:
                self._obey(step.asked)
            case Effect.LAPSE if key == PAYMENT:
                self.leave(self.uncaptured)
            case Effect.AUTHORIZE_REST:
                self._authorize_rest(key)
            case Effect.BUY_LABEL | Effect.CAPTURE | Effect.VOID_LABEL | Effect.UNDO | Effect.LAPSE:
                getattr(self, f"_{step.effect.value}")(self.parcel(key))
            case _:
                getattr(self, f"_{step.effect.value}")()
        return self.facts()

    def _verify_address(self) -> None:
        if self.verdict is not None or self.parcels:
            return
        if self.luck("out of stock"):
            self.verdict = Verdict.OUT_OF_STOCK
            return
        for store in (True, False) if self.luck("two parcels") else (self.luck("a store"),):
            self._add(store)

    def _add(self, store: bool) -> Parcel:
        parcel = Parcel(f"shp_{len(self.parcels)}", len(self.parcels) + 1, store)
        self.parcels.append(parcel)
        return parcel

    def _authorize(self) -> None:
        if self.verdict is not None:
            return
        self.in_doubt = False
        if self.luck("declined"):
            self._refuse(Verdict.DECLINED)
        elif self.luck("3-D Secure"):
            self.verdict, self.asks_customer = Verdict.REQUIRES_ACTION, True
        else:
            self._confirm()

    def _find_authorization(self) -> None:
        self.superseded += self.in_doubt and self.luck("authorized too late")
        self.in_doubt = False

    def _refuse(self, verdict: Verdict) -> None:
        self.verdict = verdict
        for parcel in self.parcels:
            parcel.stage, parcel.deadline = Stage.CANCELLED, None

    def _confirm(self) -> None:
        self.verdict = Verdict.CONFIRMED
        self.open_intents, self.renew_at = 1, self.later()
        for parcel in self.parcels:
            self._send(parcel)

    def _send(self, parcel: Parcel) -> None:
        parcel.stage, parcel.deadline = (Stage.OFFERED if parcel.store else Stage.ACCEPTED), self.later()

    def _obey(self, asked: Asked) -> None:
        match asked.kind:
            case CommandKind.CANCEL:
                live = [p for p in self.parcels if not p.ended]
                if live and not cancel_refusal([p.id for p in self.parcels if p.handed_over], []):
                    self.verdict = self.verdict if self.verdict is Verdict.CONFIRMED else Verdict.CANCELLED
                    self.leave(live)
            case CommandKind.HOLD | CommandKind.RELEASE:
                self.held = asked.kind is CommandKind.HOLD
            case CommandKind.RETRY:
                for parcel in [p for p in self.parcels if p.stage is Stage.UNSOURCED and not p.leaving]:
                    self._elsewhere(parcel)
            case _:
                self._about(self.parcel(asked.shipment_id or ""), asked.kind)

    def _about(self, parcel: Parcel, kind: CommandKind) -> None:
        if refusal(kind, parcel.stage, leaving=parcel.leaving, on_hold=self.held):
            return
        match kind:
            case CommandKind.REJECT:
                self._elsewhere(parcel)
            case CommandKind.HAND_OVER:
                self.hand_over(parcel)
            case _:
                to = Stage.ACCEPTED if kind is CommandKind.ACCEPT else Stage.PACKED
                parcel.stage, parcel.deadline = to, self.later()

    def _elsewhere(self, parcel: Parcel) -> None:
        if len(self.parcels) > 4 or self.luck("no shelf has it"):
            parcel.stage, parcel.deadline = Stage.UNSOURCED, self.later()
            return
        parcel.stage, parcel.deadline = Stage.RE_SOURCED, None
        self._send(self._add(self.luck("a store")))

    def _lapse(self, parcel: Parcel) -> None:
        match parcel.stage:
            case Stage.OFFERED:
                self._elsewhere(parcel)
            case Stage.UNSOURCED:
                self.leave([parcel])
            case _:
                parcel.deadline = self.later()

    def leave(self, parcels: list[Parcel]) -> None:
        for parcel in parcels:
            parcel.leaving = True

    def _buy_label(self, parcel: Parcel) -> None:
        if parcel.stage is not Stage.PACKED:
            return
        if self.luck("cannot be printed"):
            self.held = self.held or not parcel.leaving
            return
        parcel.label = True  # also when it was cancelled while the carrier was asked
        parcel.stage = Stage.PACKED if parcel.leaving else Stage.LABELLED

    def _void_label(self, parcel: Parcel) -> None:
        parcel.label = False
        self.undone.append(f"label {parcel.id}")

    def _authorize_rest(self, key: str) -> None:
        due = self.rest() is Rest.AFTER_CAPTURE if key == PAYMENT else self.rest_due(self.parcel(key))
        if not due:
            return
        if self.luck("refused"):
            self.refusals += 1
        else:
            self.refusals, self.open_intents, self.renew_at = 0, self.open_intents + 1, self.later()

    def _capture(self, parcel: Parcel) -> None:
        in_time = not parcel.leaving or self.luck("captured before it was cancelled")
        ready = parcel.stage is Stage.LABELLED and in_time and not (self.held or parcel.captured)
        if not ready or not self.open_intents:
            return
        if self.luck("capture refused"):
            self.open_intents, self.superseded = self.open_intents - 1, self.superseded + 1
            self.refusals = max(self.refusals, 1)
            return
        parcel.captured, parcel.stage, parcel.deadline = True, Stage.CAPTURED, self.later()
        if not (self.multicapture and self.uncaptured):
            self.open_intents -= 1
        if parcel.handed_over:
            parcel.stage = Stage.HANDED_OVER

    def _refund(self) -> None:
        for parcel in self.refund_due:
            self.undone.append("money")
            parcel.refunded = True

    def hand_over(self, parcel: Parcel) -> None:
        parcel.handed_over, parcel.deadline = True, self.later()
        if parcel.stage is Stage.CAPTURED:
            parcel.stage = Stage.HANDED_OVER

    def _void(self) -> None:
        if not self.void_due:
            return
        self.undone.append("money")
        if self.superseded:
            self.superseded -= 1
        elif self.open_intents:
            self.open_intents -= 1
        else:
            self.asks_customer = False

    def _undo(self, parcel: Parcel) -> None:
        if parcel.leaving and not parcel.ended:
            parcel.stage, parcel.deadline, parcel.leaving = Stage.CANCELLED, None, False
            self.undone.append(f"stock {parcel.id}")
            self._perhaps_over()

    def _perhaps_over(self) -> None:
        if all(p.ended for p in self.parcels) and any(p.stage is Stage.DELIVERED for p in self.parcels):
            self.delivered_at = self.delivered_at or self.later()

    def _look(self) -> None:
        self.look_due = False
        if self.verdict is not Verdict.REQUIRES_ACTION or not self.asks_customer:
            return
        self.asks_customer = False
        self._confirm() if self.luck("authenticated") else self._refuse(Verdict.DECLINED)

    def _keep_alive(self) -> None:
        if self.open_intents:
            self.renew_at = self.later()
            self.superseded += self.luck("renewed")

    def _apply_facts(self) -> None:
        self.look_due = self.look_due or bool(self.open_intents or self.asks_customer)
        for parcel in self.parcels:
            if parcel.label and not parcel.leaving and not parcel.ended and self.luck("scanned"):
                self.hand_over(parcel)
            if parcel.stage is Stage.HANDED_OVER and not parcel.leaving and self.luck("delivered"):
                parcel.stage, parcel.deadline = Stage.DELIVERED, None
                self._perhaps_over()

    def _report(self) -> None:
        pass

    def _expire(self) -> None:
        if self.verdict in UNCONFIRMED:
            self._refuse(Verdict.EXPIRED)

    def _close(self) -> None:
        self.closed = True
