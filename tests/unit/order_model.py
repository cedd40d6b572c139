"""A small order in memory that answers effects as the stores do, to the cent, as far as it decides what comes next.

Its facts are those of the real `Book`; chance (declines, shortages, a carrier's answer) is drawn by the test.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from models.messages.commands import Asked
from models.messages.facts import PAYMENT, UNCONFIRMED, OrderFacts, Rest
from models.refusals import cancel_refusal, refusal
from models.shipment import Do, Effect
from models.stores.book import is_ended
from models.words import CommandKind, IntentState, OperationKind, Outcome, Stage, UnitState, Verdict
from tests.unit.bank_model import Bank
from tests.unit.order_rows import Hold, Label, Order, Returns, Shipment, Unit, book_of
from tests.unit.purse_model import KIND, Purse

START = datetime(2030, 1, 1, tzinfo=UTC)
EXPIRES_AT = START + timedelta(minutes=15)
PRICES = (2500, 999, 3333, 1)
SHIPPING = 595
STORES = ("loc_0", "loc_2", "loc_4")


@dataclass
class OrderModel:
    """`luck(question)` answers yes or no for whatever nobody here decides."""

    luck: Callable[[str], bool]
    multicapture: bool = False
    now: datetime = START
    known: OrderFacts = field(default_factory=OrderFacts)
    was_told: bool = False  # something happened that belongs into the order's story

    def __post_init__(self) -> None:
        free = self.luck("a gift, shipped free")
        prices = PRICES[: 4 if self.luck("four pieces") else 2]
        self.units = [Unit(f"unit_{i}", 0 if free and i < 2 else price) for i, price in enumerate(prices)]
        self.order = Order(expires_at=EXPIRES_AT, shipping=0 if free else SHIPPING)
        self.returns = Returns()
        self.book = book_of(self.order, self.units, self.returns, START)
        self.bank = Bank(self.luck, self.multicapture)
        self.purse = Purse(self.book, self.bank, sum(u.amount for u in self.units) + self.order.shipping)

    # What the workflow gets to know

    def facts(self) -> OrderFacts:
        order, book = self.order, self.book
        book.now = self.now
        if book.rest() is not Rest.REFUSED:
            order.customer_until = None
        elif order.customer_until is None:
            order.customer_until = self.later()
        if self.was_told or book.facts() != self.known:
            order.revision += 1
        self.was_told, self.known = False, book.facts()
        return self.known

    @property
    def shipments(self) -> list[Shipment]:
        return self.book.shipments

    def later(self) -> datetime:
        self.now += timedelta(hours=5)
        return self.now

    # What effects do

    def begin(self, key: str, step: Do) -> None:
        """As far as it gets by itself: nothing yet, or planned in our rows, or done and not recorded."""
        if self.luck("it is not even planned"):
            return
        if step.effect is Effect.BUY_LABEL:
            self._plan_label(self.book.shipment(key))
        if step.effect in KIND and (operation := self.purse.plan(key, step.effect)) and not self.luck("only planned"):
            self.bank.ask(operation, self.now)

    def may_fail(self, key: str, step: Do) -> bool:
        """For good, that is: what was planned and asked of the bank is looked up until its outcome is known."""
        return step.effect not in KIND or not self.purse.in_flight(key, step.effect)

    def carry_out(self, key: str, step: Do) -> OrderFacts:
        self.was_told = True
        self.now += timedelta(seconds=1)  # no two instants are equal, so no two deadlines are
        match step.effect:
            case Effect.OBEY if step.asked:
                self._obey(step.asked)
            case Effect.LAPSE if key == PAYMENT:
                self._give_up_unpaid()
            case Effect.BUY_LABEL | Effect.VOID_LABEL | Effect.UNDO | Effect.LAPSE:
                getattr(self, f"_{step.effect.value}")(self.book.shipment(key))
            case effect if effect in KIND:
                self._move_money(key, effect)
            case _:
                getattr(self, f"_{step.effect.value}")()
        return self.facts()

    # Checkout

    def _verify_address(self) -> None:
        if self.order.verdict is not None or self.shipments:
            return
        if self.luck("out of stock"):
            self._refuse(Verdict.OUT_OF_STOCK)
            return
        live = [u for u in self.units if u.state is not UnitState.CANCELLED]
        stores = (True, False) if len(live) > 1 and self.luck("two parcels") else (self.luck("a store"),)
        for number, store in enumerate(stores):
            self._add(live[number :: len(stores)], store)

    def _add(self, units: Collection[Unit], store: bool) -> Shipment:
        number = len(self.shipments)
        shipment = Shipment(f"shp_{number}", number + 1, f"loc_{2 * number + (not store)}")
        self.shipments.append(shipment)
        if store:
            self.book.stores.add(shipment.location_id)
        for unit in units:
            unit.shipment_id, unit.state = shipment.id, UnitState.RESERVED
        return shipment

    def _refuse(self, verdict: Verdict) -> None:
        self.order.verdict = verdict
        for unit in self.units:
            unit.state = UnitState.CANCELLED
        for shipment in self.shipments:
            _end(shipment, Stage.CANCELLED)

    def _confirm(self) -> None:
        self.order.verdict, self.order.confirmed_at = Verdict.CONFIRMED, self.now
        for shipment in self.shipments:
            if shipment.stage is Stage.PLANNED:
                self._send(shipment)

    def _send(self, shipment: Shipment) -> None:
        store = shipment.location_id in self.book.stores
        shipment.stage, shipment.deadline = (Stage.OFFERED if store else Stage.ACCEPTED), self.later()

    def _find_authorization(self) -> None:
        operation = self.book.in_doubt
        if operation is None:
            return
        if answer := self.bank.answers.get(operation.key):
            self.purse.record(operation, answer)
        else:
            operation.outcome, operation.reason = Outcome.REFUSED, "never_made"

    def _expire(self) -> None:
        if self.order.verdict in UNCONFIRMED:
            self._refuse(Verdict.EXPIRED)

    # Money

    def _move_money(self, key: str, effect: Effect) -> None:
        operation = self.purse.plan(key, effect)
        if operation is None:
            self.was_told = False
            self._nothing_to_move(key, effect)
            return
        answer = self.bank.ask(operation, self.now)
        self.purse.record(operation, answer)
        if operation.kind is OperationKind.CAPTURE and answer.outcome is Outcome.SUCCEEDED:
            self._go_on(self.book.shipment(key))
        if operation.kind is OperationKind.AUTHORIZE and operation.leg == 1 and self.order.verdict is None:
            if answer.outcome is Outcome.REFUSED:
                self._refuse(Verdict.DECLINED)
            elif answer.outcome is Outcome.REQUIRES_ACTION:
                self.order.verdict = Verdict.REQUIRES_ACTION
            else:
                self._confirm()

    def _nothing_to_move(self, key: str, effect: Effect) -> None:
        if effect is Effect.AUTHORIZE and self.order.verdict is None:
            self._confirm()  # nothing is to be paid
        if effect is Effect.CAPTURE:
            shipment = self.book.shipment(key)
            if self.purse.is_ready(shipment) and not self.book.owes(shipment):
                self._go_on(shipment)

    def _go_on(self, shipment: Shipment) -> None:
        shipment.stage, shipment.deadline = Stage.CAPTURED, self.later()
        if shipment.handed_over_at:
            shipment.stage = Stage.HANDED_OVER
            self._end_delivered(shipment)

    def _look(self) -> None:
        found = next((i for i in self.book.intents if i.look_due), None)
        if found is None:
            return
        before, found.look_due = found.state, False
        after = self.purse.keep(found.id).state
        waited = self.order.verdict is Verdict.REQUIRES_ACTION and before is IntentState.REQUIRES_ACTION
        if before is IntentState.REQUIRES_ACTION and after is not before:
            operation = next(o for o in self.book.operations if o.intent_id == found.id)
            operation.outcome = Outcome.SUCCEEDED if after is IntentState.OPEN else Outcome.REFUSED
        if waited and after is not before:
            self._confirm() if after is IntentState.OPEN else self._refuse(Verdict.DECLINED)

    def _give_up_unpaid(self) -> None:
        unpaid = {u.shipment_id for u in self.book.uncaptured}
        here = [s for s in self.shipments if s.id in unpaid and not is_ended(s) and s.handed_over_at is None]
        left = [s for s in here if self.book.owes(s)]
        if left:
            self._give_up(left)
        else:
            self.order.customer_until = self.later()

    def _give_up(self, shipments: Collection[Shipment]) -> None:
        units = [u for s in shipments for u in self.book.units_of(s) if u.state is not UnitState.CANCELLED]
        self._claim(units)
        self.leave(shipments)

    # Commands

    def _obey(self, asked: Asked) -> None:
        match asked.kind:
            case CommandKind.CANCEL:
                self._cancel(asked.cancel.units if asked.cancel else ())
            case CommandKind.HOLD:
                self.book.holds.append(Hold(asked.command_id, None))
            case CommandKind.RELEASE if self.book.holds:
                self.book.holds.pop()
                for intent in () if self.book.holds else self.book.open_intents:
                    intent.look_due = True
            case CommandKind.RETRY:
                self.book.retry_refunds()
                for shipment in [s for s in self.shipments if s.stage is Stage.UNSOURCED and not s.leaving]:
                    self._elsewhere(shipment)
            case _ if asked.shipment_id:
                self._about(self.book.shipment(asked.shipment_id), asked.kind)

    def _cancel(self, wanted: Collection[str]) -> None:
        live = [u for u in self.units if u.state is not UnitState.CANCELLED and (not wanted or u.id in wanted)]
        left = {s.id for s in self.shipments if s.handed_over_at}
        gone, here = ([u.id for u in live if (u.shipment_id in left) is away] for away in (True, False))
        if not live or cancel_refusal(gone, here):
            return
        self._claim(live)
        self._cancel_units(live)
        if self.order.confirmed_at is None and all(u.state is UnitState.CANCELLED for u in self.units):
            self.order.verdict = Verdict.CANCELLED

    def _claim(self, units: Collection[Unit]) -> None:
        for unit in units:
            assert unit.id not in self.book.claims, f"a second claim of {unit.id}"
            self.book.claims[unit.id] = f"clm_{len(self.book.claims)}"

    def _cancel_units(self, units: Collection[Unit]) -> None:
        for unit in units:
            unit.state = UnitState.CANCELLED
        touched = {u.shipment_id for u in units}
        for shipment in [s for s in self.shipments if s.id in touched and not is_ended(s)]:
            inside = self.book.units_of(shipment)
            if all(u.state is UnitState.CANCELLED for u in inside):
                self.leave([shipment])
            elif shipment.packed_at is None:
                for unit in units:
                    unit.shipment_id = None if unit in inside else unit.shipment_id

    def leave(self, shipments: Collection[Shipment]) -> None:
        for shipment in shipments:
            shipment.leaving = True
            for unit in self.book.units_of(shipment):
                unit.state = UnitState.CANCELLED

    def _about(self, shipment: Shipment, kind: CommandKind) -> None:
        held, forgotten = self.book.is_on_hold(shipment), self.book.to_take_out(shipment)
        if refusal(kind, shipment.stage, leaving=shipment.leaving, on_hold=held, to_take_out=bool(forgotten)):
            return
        match kind:
            case CommandKind.REJECT:
                self._elsewhere(shipment)
            case CommandKind.HAND_OVER:
                self.hand_over(shipment)
            case CommandKind.TAKE_OUT:
                for unit in forgotten:
                    unit.shipment_id = None
            case CommandKind.ACCEPT:
                shipment.stage, shipment.deadline = Stage.ACCEPTED, self.later()
            case _:
                shipment.stage, shipment.deadline, shipment.packed_at = Stage.PACKED, self.later(), self.now

    def _elsewhere(self, shipment: Shipment) -> None:
        if len(self.shipments) > 4 or self.luck("no shelf has it"):
            shipment.stage, shipment.deadline = Stage.UNSOURCED, self.later()
            return
        _end(shipment, Stage.RE_SOURCED)
        self._send(self._add(self.book.units_of(shipment), self.luck("a store")))

    def _lapse(self, shipment: Shipment) -> None:
        if shipment.leaving:
            return
        match shipment.stage:
            case Stage.OFFERED:
                self._elsewhere(shipment)
            case Stage.UNSOURCED:
                self._give_up([shipment])
            case _:
                shipment.deadline = self.later()

    # Parcels

    def _plan_label(self, shipment: Shipment) -> Label | None:
        book = self.book
        if label := book.live_label(shipment):
            return label
        blocked = shipment.leaving or book.is_on_hold(shipment) or not book.is_paid_for(shipment)
        if shipment.stage is not Stage.PACKED or blocked:
            return None
        book.labels.append(Label(shipment.id))
        return book.labels[-1]

    def _buy_label(self, shipment: Shipment) -> None:
        label = self._plan_label(shipment)
        if label is None:
            return
        if self.luck("cannot be printed"):
            label.refund_requested_at = self.now
            if not shipment.leaving:
                self.book.holds.append(Hold(f"hold_{shipment.id}", shipment.id))
        elif not shipment.leaving:  # else it is the carrier's all the same, to be asked back
            shipment.stage, shipment.deadline = Stage.LABELLED, self.later()
            if not self.book.owes(shipment):
                shipment.stage = Stage.CAPTURED

    def _void_label(self, shipment: Shipment) -> None:
        if label := self.book.live_label(shipment):
            label.refund_requested_at = self.now

    def hand_over(self, shipment: Shipment) -> None:
        shipment.handed_over_at, shipment.deadline = self.now, self.later()
        self._move_units(shipment, UnitState.HANDED_OVER)
        if shipment.stage is Stage.CAPTURED:
            shipment.stage = Stage.HANDED_OVER

    def deliver(self, shipment: Shipment) -> None:
        shipment.delivered_at = self.now
        self._move_units(shipment, UnitState.DELIVERED)
        self._end_delivered(shipment)

    def _move_units(self, shipment: Shipment, state: UnitState) -> None:
        for unit in self.book.units_of(shipment):
            unit.state = unit.state if unit.state is UnitState.CANCELLED else state

    def _end_delivered(self, shipment: Shipment) -> None:
        if shipment.delivered_at and shipment.stage is Stage.HANDED_OVER:
            _end(shipment, Stage.DELIVERED)
            if all(is_ended(s) for s in self.shipments):
                self.order.delivered_at = self.now

    def _undo(self, shipment: Shipment) -> None:
        if not shipment.leaving or is_ended(shipment):
            return
        _end(shipment, Stage.CANCELLED)
        shipment.leaving = False
        over = self.order.delivered_at is None and all(is_ended(s) for s in self.shipments)
        if over and any(s.stage is Stage.DELIVERED for s in self.shipments):
            self.order.delivered_at = self.now

    # What happens outside

    def _apply_facts(self) -> None:
        self._hear_of_money()
        for shipment in [s for s in self.shipments if not (s.leaving or is_ended(s))]:
            if self.book.live_label(shipment) and shipment.packed_at and self.luck("scanned"):
                self._scan(shipment)
            if shipment.handed_over_at and not shipment.delivered_at and self.luck("delivered"):
                self.deliver(shipment)

    def _scan(self, shipment: Shipment) -> None:
        if shipment.handed_over_at is None:
            self.hand_over(shipment)

    def _hear_of_money(self) -> None:
        if self.luck("something happened to an intent"):
            self.bank.lapse() if self.luck("it lapsed") else self.bank.authenticate()
        for intent in self.book.intents:
            there = self.bank.intents[intent.id]
            intent.look_due = intent.look_due or intent.state is not there.state or intent.state is IntentState.OPEN

    def send_back(self) -> None:
        """A return of what is at the customer's, requested, received in part or whole, or never."""
        free = [u.id for u in self.units if u.state is UnitState.DELIVERED and u.id not in self.book.claims]
        if self.returns and self.luck("nothing comes"):
            for unit_id in self.returns.pop():
                if self.unit(unit_id).state is not UnitState.RETURNED:
                    del self.book.claims[unit_id]
        elif self.returns:
            unit_id = min(self.returns[-1])
            self.unit(unit_id).state = UnitState.RETURNED
            self.returns[-1].remove(unit_id)
            if not self.returns[-1]:
                self.returns.pop()
        elif free and self.order.closed_at is None:
            wanted = free if self.luck("all of it") else free[:1]
            self._claim([self.unit(unit_id) for unit_id in wanted])
            self.returns.append(set(wanted))

    def unit(self, unit_id: str) -> Unit:
        return next(u for u in self.units if u.id == unit_id)

    def _report(self) -> None:
        pass

    def _close(self) -> None:
        self.order.closed_at = self.order.closed_at or self.now


def _end(shipment: Shipment, stage: Stage) -> None:
    shipment.stage, shipment.deadline = stage, None
