"""One order's rows, loaded under its lock: what every transaction on an order reads, decides on and writes.

Lock order: the order, then its payments, then its shipments; stock comes last and is `StockStore`'s. `settle` is the
one place that writes `orders.status` and the revision; `facts` is what the workflow gets to know.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import BindParameter, bindparam, exists, func, select
from sqlalchemy.orm import Session

from models.cases import Told
from models.errors import MoneyBusyError, NotFoundError
from models.messages.facts import ENDED, OrderFacts, PaymentFacts, Rest, ShipmentFacts
from models.messages.timings import OrderTimings
from models.mint import mint
from models.refunds import Paid, RefundDue, may_be_asked_again, next_refund
from models.status import Standing, status_of
from models.stores.answers import finish_cancels
from models.stores.order_cases import EXCEPTION, OrderCases
from models.tables.messages import Case, Event, InboxFact
from models.tables.orders import Claim, Hold, Order, OrderUnit
from models.tables.payments import Intent, PaymentOperation, Tender
from models.tables.returns import Return
from models.tables.shipments import Label, Shipment
from models.tables.stock import Location
from models.words import (
    CaseType,
    ClaimKind,
    IntentState,
    LocationKind,
    OperationKind,
    OrderStatus,
    Outcome,
    Role,
    Stage,
    UnitState,
    Verdict,
)

_FAILED = frozenset({Verdict.DECLINED, Verdict.OUT_OF_STOCK, Verdict.INVALID_ADDRESS})
# Asked together, since most orders have neither.
_HELD = exists().where(Hold.order_id == Order.id, Hold.released_at.is_(None)).label("held")
# An order and what belongs to it, as statements that are built once.
_OF: BindParameter[str] = bindparam("order_id")
_LOCKED = select(Order).where(Order.id == _OF).with_for_update(key_share=True)
_TROUBLES = select(_HELD, EXCEPTION).where(Order.id == _OF)
_UNITS = select(OrderUnit).where(OrderUnit.order_id == _OF).order_by(OrderUnit.id)
_SHIPMENTS = (
    select(Shipment, Location.kind == LocationKind.STORE)
    .join(Location, Location.id == Shipment.location_id)
    .where(Shipment.order_id == _OF)
    .order_by(Shipment.position)
    .with_for_update(of=Shipment, key_share=True)
)
_INTENTS = (
    select(Intent).where(Intent.order_id == _OF).order_by(Intent.created_at, Intent.id).with_for_update(key_share=True)
)
_OPERATIONS = (
    select(PaymentOperation)
    .where(PaymentOperation.order_id == _OF)
    .order_by(PaymentOperation.planned_at, PaymentOperation.key)
)
GIVEN_BACK = (UnitState.CANCELLED, UnitState.RETURNED, UnitState.LOST)
HOLDING = (IntentState.OPEN, IntentState.REQUIRES_ACTION)


class Book:
    """An order with its units, shipments, labels, money and holds; each is loaded once, when it is first asked for."""

    def __init__(self, session: Session, order: Order, now: datetime, *, held: bool, exception: str) -> None:
        self._held = held
        self.session = session
        self.order = order
        self.now = now
        self.cases = OrderCases(session, order.id, now, exception)
        self.timings = OrderTimings.model_validate(order.timings)
        self.was_told = False
        self._run_informed = False
        self._of = {"order_id": order.id}
        self.stores: set[str] = set()  # those of its shipments' nodes that are stores

    @classmethod
    def open(cls, session: Session, order_id: str, now: datetime) -> "Book":
        """Lock the order and load it. `NotFoundError` when there is none."""
        order = session.scalars(_LOCKED, {"order_id": order_id}).one_or_none()
        if order is None:
            raise NotFoundError(f"no order {order_id}")
        # Asked once the lock is had: a statement that waits for it sees other tables as they were before the wait.
        held, exception = session.execute(_TROUBLES, {"order_id": order_id}).one()
        return cls(session, order, now, held=held, exception=exception or "")

    # What belongs to it

    def read(self) -> None:
        """Load what is asked for in the end anyway, before anything is written: a later read flushes it first."""
        _ = self.operations, self.intents, self.shipments, self.units

    @cached_property
    def units(self) -> list[OrderUnit]:
        return list(self.session.scalars(_UNITS, self._of))

    @cached_property
    def shipments(self) -> list[Shipment]:
        found: list[Shipment] = []
        for shipment, store in self.session.execute(_SHIPMENTS, self._of):
            found.append(shipment)
            if store:
                self.stores.add(shipment.location_id)
        return found

    @cached_property
    def intents(self) -> list[Intent]:
        return list(self.session.scalars(_INTENTS, self._of)) if self.operations else []

    @cached_property
    def operations(self) -> list[PaymentOperation]:
        return list(self.session.scalars(_OPERATIONS, self._of))

    @cached_property
    def claims(self) -> dict[str, str]:
        """The live claim of each unit that has one."""
        query = select(Claim.unit_id, Claim.id).where(Claim.order_id == self.order.id, Claim.live)
        return {unit_id: claim_id for unit_id, claim_id in self.session.execute(query)}  # noqa: C416 (rows are no pairs)

    @cached_property
    def tender(self) -> Tender:
        return self.session.scalars(select(Tender).where(Tender.order_id == self.order.id)).one()

    @cached_property
    def labels(self) -> list[Label]:
        ids = [s.id for s in self.shipments if s.packed_at]
        if not ids:
            return []
        return list(self.session.scalars(select(Label).where(Label.shipment_id.in_(ids)).order_by(Label.key)))

    @cached_property
    def holds(self) -> list[Hold]:
        if not self._held:
            return []
        return list(
            self.session.scalars(select(Hold).where(Hold.order_id == self.order.id, Hold.released_at.is_(None)))
        )

    def add_shipment(
        self, location_id: str, units: Iterable[OrderUnit], *, store: bool, origin: str | None
    ) -> Shipment:
        """A new parcel from that node, planned, with these units in it."""
        shipment = Shipment(
            id=mint("shp"),
            order_id=self.order.id,
            position=len(self.shipments) + 1,
            location_id=location_id,
            stage=Stage.PLANNED,
            leaving=False,
            re_sourced_from=origin,
            created_at=self.now,
        )
        self.session.add(shipment)
        self.session.flush()  # units refer to it
        for unit in units:
            unit.shipment_id = shipment.id
        self.shipments.append(shipment)
        if store:
            self.stores.add(location_id)
        return shipment

    def shipment(self, shipment_id: str) -> Shipment:
        found = next((s for s in self.shipments if s.id == shipment_id), None)
        if found is None:
            raise NotFoundError(f"no shipment {shipment_id} in order {self.order.id}")
        return found

    def replacements(self, shipment: Shipment) -> list[Shipment]:
        """The parcels that all its units were sourced to, one after another; none unless it was re-sourced."""
        origins = {shipment.id} if shipment.stage is Stage.RE_SOURCED else set[str]()
        found: list[Shipment] = []
        for each in self.shipments:  # in the order in which they were made
            if each.re_sourced_from in origins:
                origins.add(each.id)
                found.append(each)
        return found

    def intent(self, intent_id: str) -> Intent:
        return next(i for i in self.intents if i.id == intent_id)

    def operation(self, key: str) -> PaymentOperation | None:
        return next((o for o in self.operations if o.key == key), None)

    def planned(self, key: str) -> PaymentOperation:
        """The operation that an outcome has come of."""
        operation = self.operation(key)
        if operation is None:
            raise AssertionError(f"{key} was never planned")
        return operation

    def in_flight(self, kind: OperationKind, shipment_id: str | None = None) -> PaymentOperation | None:
        """A step's own operation, planned by an earlier try."""
        mine = (o for o in self.operations if o.kind is kind and o.shipment_id == shipment_id)
        return next((o for o in mine if o.outcome is None), None)

    def refuse_if_busy(self, intent: Intent) -> None:
        """`MoneyBusyError` while another operation of this intent has no outcome."""
        if any(o.outcome is None and o.intent_id == intent.id for o in self.operations):
            raise MoneyBusyError("another operation of this intent has no outcome yet")

    def units_of(self, shipment: Shipment) -> list[OrderUnit]:
        return [u for u in self.units if u.shipment_id == shipment.id]

    def to_take_out(self, shipment: Shipment) -> list[OrderUnit]:
        """Cancelled units that still lie in its closed parcel."""
        if shipment.leaving or is_ended(shipment):
            return []
        return [u for u in self.units_of(shipment) if u.state is UnitState.CANCELLED]

    def live_label(self, shipment: Shipment) -> Label | None:
        return next((x for x in self.labels if x.shipment_id == shipment.id and x.refund_requested_at is None), None)

    def is_on_hold(self, shipment: Shipment) -> bool:
        return any(h.shipment_id in (None, shipment.id) for h in self.holds)

    def is_held_for(self, reason: str) -> bool:
        return any(h.reason == reason for h in self.holds)

    # Money, as far as it decides what comes next

    @property
    def uncaptured(self) -> list[OrderUnit]:
        """Live units that nobody has paid for yet."""
        return [u for u in self.units if u.captured_by is None and u.state not in GIVEN_BACK]

    @property
    def open_intents(self) -> list[Intent]:
        """Authorizations that a capture may use, oldest first."""
        return [i for i in self.intents if i.state is IntentState.OPEN and not i.superseded]

    @property
    def ageing(self) -> Intent | None:
        """The open authorization whose keep-alive is due first."""
        known = [i for i in self.open_intents if i.renew_at]
        return min(known, key=lambda intent: intent.renew_at or self.now, default=None)

    @property
    def shipping_due(self) -> int:
        """The shipping charge as the customer pays it, until a capture has taken it."""
        order = self.order
        taken = any(
            o.shipping for o in self.operations if o.kind is OperationKind.CAPTURE and o.outcome is Outcome.SUCCEEDED
        )
        return 0 if taken else order.shipping + (0 if order.includes_tax else order.shipping_tax)

    @property
    def to_pay(self) -> int:
        """What the customer still has to pay; nothing once all of it is captured or was given back."""
        return amount_of(self.uncaptured) + self.shipping_due if self.uncaptured else 0

    def due(self, shipment: Shipment) -> int:
        """What has to be captured before this parcel may leave; nothing for a gift, shipped free."""
        mine = self.unpaid_of(shipment)
        return amount_of(mine) + self.shipping_due if mine else 0

    def unpaid_of(self, shipment: Shipment) -> list[OrderUnit]:
        """The units that its capture is for."""
        return [u for u in self.uncaptured if u.shipment_id == shipment.id]

    def due_beside(self, shipment: Shipment) -> int:
        """What stays to be captured once this parcel's capture has taken its units and the shipping charge."""
        return amount_of([u for u in self.uncaptured if u.shipment_id != shipment.id])

    def intent_for(self, shipment: Shipment) -> Intent | None:
        """The smallest authorization that covers this parcel, so that a larger one stays for others."""
        enough = [i for i in self.open_intents if i.capturable >= self.due(shipment)]
        return min(enough, key=lambda intent: intent.capturable, default=None)

    def owes(self, shipment: Shipment) -> bool:
        return self.due(shipment) > 0

    def is_paid_for(self, shipment: Shipment) -> bool:
        """Whether it is authorized, or nothing is due for it."""
        return not self.owes(shipment) or self.intent_for(shipment) is not None

    def to_void(self) -> Intent | None:
        """An authorization that holds the customer's money for nothing."""
        holding = [i for i in self.intents if i.state in HOLDING]
        return next((i for i in holding if i.superseded or not self.to_pay), None)

    def refund_due(self) -> RefundDue | None:
        """What was captured for nothing and is not given back or on its way yet."""
        gone = [u for u in self.units if u.captured_by and u.state in GIVEN_BACK]
        if not gone:
            return None
        captures = {
            o.key: o for o in self.operations if o.kind is OperationKind.CAPTURE and o.outcome is Outcome.SUCCEEDED
        }
        back = [
            Paid(u.amount, captures[u.captured_by].intent_id or "", self.claims[u.id], u.id)
            for u in gone
            if u.captured_by and u.refunded_by is None
        ]
        given = any(o.shipping for o in self.operations if o.kind is OperationKind.REFUND and o.retried_at is None)
        if not given and all(u.state is UnitState.CANCELLED for u in self.units):
            last = max(self.claims[u.id] for u in gone)
            back += [Paid(o.shipping, o.intent_id or "", last) for o in captures.values() if o.shipping]
        return next_refund(back, [o.intent_id or "" for o in captures.values()])

    @property
    def refused_refunds(self) -> list[PaymentOperation]:
        """What Stripe did not give back, and nobody had asked for again."""
        refunds = [o for o in self.operations if o.kind is OperationKind.REFUND and o.outcome is Outcome.REFUSED]
        return [o for o in refunds if o.retried_at is None]

    def retry_refunds(self) -> int:
        """Make what was refused due again, as another refund, unless its card is closed; how many that were."""
        again = [o for o in self.refused_refunds if may_be_asked_again(o.reason)]
        for operation in again:
            operation.retried_at = self.now
            for unit in self.units:
                if unit.refunded_by == operation.key:
                    unit.refunded_by = None
        return len(again)

    @property
    def in_doubt(self) -> PaymentOperation | None:
        """Checkout's authorization, while it is not known what came of it."""
        operation = self.in_flight(OperationKind.AUTHORIZE)
        return operation if operation and operation.leg == 1 else None

    def rest(self) -> Rest:
        """Where authorizing stands what is to be shipped and not covered. A hold of the whole order stops it."""
        held = any(hold.shipment_id is None for hold in self.holds)
        if held or not self.to_pay or self.order.verdict is not Verdict.CONFIRMED:
            return Rest.NONE
        if all(self.is_paid_for(s) for s in self.shipments if not (is_ended(s) or s.leaving)):
            return Rest.NONE
        refusals = self._refusals_of_the_rest()
        for_good = [o for o in refusals if o.reason != "insufficient_funds"] or refusals[1:]
        return Rest.REFUSED if for_good else Rest.AFTER_CAPTURE

    def is_rest_due(self, shipment: Shipment) -> bool:
        """Whether its capture would release what others need: to be authorized first, unless that was refused."""
        intent, others = self.intent_for(shipment), self.due_beside(shipment)
        if not self.owes(shipment) or not others or intent is None or intent.multicapture:
            return False
        covered = any(i.capturable >= others for i in self.open_intents if i is not intent)
        return not covered and not self._refusals_of_the_rest()

    def _refusals_of_the_rest(self) -> list[PaymentOperation]:
        """Attempts that failed since an authorization last succeeded."""
        attempts = [o for o in self.operations if o.kind is OperationKind.AUTHORIZE and o.outcome and o.renews is None]
        last_good = max((i for i, o in enumerate(attempts) if o.outcome is Outcome.SUCCEEDED), default=-1)
        return attempts[last_good + 1 :]

    # Writing

    def tell(self, event: str, actor: str, **data: Any) -> None:
        """Add an event to the order's history, and close the cases that it ends. No person's data goes in."""
        self.order.last_event += 1
        row = Event(aggregate=self.order.id, seq=self.order.last_event, type=event, data=data, actor=actor, at=self.now)
        self.session.add(row)
        self.was_told = True
        for case in self.cases.ended_by(Told(self.order.id, event, data)):
            self.tell("case.closed", "shelfway", type=case.type.value, subject=case.subject)

    def open_case(self, kind: CaseType, subject: str, owner: Role, **detail: Any) -> None:
        """An exception that somebody owns from now on; a second one of the same cause only reminds."""
        self.cases.open(kind, subject, owner, detail)
        self.tell("case.opened", "shelfway", type=kind.value, subject=subject)

    def closed_by_hand(self, case: Case, by: str) -> None:
        """A person has dealt with it: the order's story says so, and its run shows the case no more."""
        self.cases.forget()
        self.tell("case.closed", by, type=case.type.value, subject=case.subject)
        self.show_cases()

    def show_cases(self) -> None:
        """For whoever works beside the order's run: the run shows its oldest case, so it hears that they changed."""
        if self.cases.have_changed and not self._run_informed and self.order.closed_at is None:
            self.inform_run("case.changed", self.order.id)

    def inform_run(self, kind: str, subject: str) -> None:
        """What was done beside the order's run makes its knowledge old: a fact has it learn what the rows hold."""
        row = InboxFact(
            id=f"{subject}:{kind}:{self.order.last_event}",
            source="shelfway",
            kind=kind,
            subject=subject,
            order_id=self.order.id,
            payload={},
            occurred_at=self.now,
            received_at=self.now,
            due_at=self.now,
        )
        self.session.add(row)
        self._run_informed = True

    def claim(
        self,
        units: Iterable[OrderUnit],
        kind: ClaimKind,
        *,
        command_id: str | None = None,
        return_id: str | None = None,
    ) -> None:
        """These units are taken by that command or return: nobody else's until the claim is given up."""
        for unit in units:
            row = Claim(
                id=mint("clm"), order_id=self.order.id, unit_id=unit.id, kind=kind, command_id=command_id,
                return_id=return_id, created_at=self.now,
            )  # fmt: skip
            self.session.add(row)

    def hold(self, shipment: Shipment | None, reason: str, actor: str) -> Hold:
        """Stop what comes next for one shipment, or for the whole order."""
        hold = Hold(
            id=mint("hold"),
            order_id=self.order.id,
            shipment_id=shipment.id if shipment else None,
            reason=reason,
            actor=actor,
            placed_at=self.now,
        )
        self.session.add(hold)
        self.holds.append(hold)
        self.tell("hold.placed", actor, hold=hold.id, reason=reason, shipment=hold.shipment_id)
        return hold

    def settle(self) -> OrderFacts:
        """Write the status that the units and the money give, bump the revision if anything was told, answer facts."""
        self._ask_or_thank_the_customer()
        if self.was_told:
            if not self._is_undoing():
                finish_cancels(self)
            self.order.status = self.status()
            self.order.revision += 1
            self.session.flush()
        return self.facts()

    def _is_undoing(self) -> bool:
        """Something was cancelled and is not undone yet; true, too, where nothing ever was cancelled."""
        leaving = any(s.leaving and not is_ended(s) for s in self.shipments)
        untouched = all(u.state is not UnitState.CANCELLED for u in self.units)
        return untouched or leaving or self.to_void() is not None or self.refund_due() is not None

    def _ask_or_thank_the_customer(self) -> None:
        """It is the customer's turn, until a deadline, as long as what is to be shipped cannot be authorized."""
        refused = self.rest() is Rest.REFUSED
        if refused and self.order.customer_until is None:
            self.order.customer_until = self.now + self.timings.customer_answer
            self.open_case(CaseType.AWAITING_CUSTOMER, self.order.id, Role.CS)
        elif not refused and self.order.customer_until is not None:
            self.order.customer_until = None
            self.tell("customer.settled", "shelfway")

    def status(self) -> OrderStatus:
        standing = standing_of(self.order, self.shipments, on_hold=bool(self.holds))
        return status_of([u.state for u in self.units], standing)

    # What the workflow gets to know

    def facts(self) -> OrderFacts:
        order = self.order
        return OrderFacts(
            revision=order.revision,
            status=order.status,
            verdict=order.verdict,
            shipments=tuple(self._shipment_facts(s) for s in self.shipments),
            payment=self._payment_facts(),
            expires_at=order.expires_at,
            promised_by=order.promised_by,
            window_ends=order.delivered_at and order.delivered_at + self.timings.return_window,
            stores=tuple(sorted(self.stores)),
            exception=self.cases.exception(),
            returns=self._open_returns(),
            closed=order.closed_at is not None,
        )

    def _open_returns(self) -> int:
        if self.order.delivered_at is None and all(u.state is not UnitState.DELIVERED for u in self.units):
            return 0
        query = select(func.count()).where(Return.order_id == self.order.id, Return.closed_at.is_(None))
        return self.session.scalar(query) or 0

    def _shipment_facts(self, shipment: Shipment) -> ShipmentFacts:
        units = self.units_of(shipment)
        return ShipmentFacts(
            id=shipment.id,
            position=shipment.position,
            node=shipment.location_id,
            store=shipment.location_id in self.stores,
            stage=shipment.stage,
            units=tuple(u.id for u in units),
            deadline=shipment.deadline,
            leaving=shipment.leaving,
            label=self.live_label(shipment) is not None,
            paid=self.is_paid_for(shipment),
            rest_due=self.is_rest_due(shipment),
            on_hold=self.is_on_hold(shipment),
        )

    def _payment_facts(self) -> PaymentFacts:
        rest, refund_due = self.rest(), self.refund_due() is not None
        ageing = self.ageing
        deadline = self.order.customer_until if rest is Rest.REFUSED else ageing.renew_at if ageing else None
        return PaymentFacts(
            open=any(i.state in HOLDING for i in self.intents) or rest is not Rest.NONE or refund_due,
            deadline=deadline,
            rest=rest,
            void_due=self.to_void() is not None,
            refund_due=refund_due,
            look_due=any(i.look_due for i in self.intents),
            in_doubt=self.in_doubt is not None,
        )


def amount_of(units: Sequence[OrderUnit]) -> int:
    """What the customer pays for these units."""
    return sum(u.amount for u in units)


def standing_of(order: Order, shipments: Iterable[Shipment], *, on_hold: bool) -> Standing:
    """What the rows beside the units say of the order's status."""
    return Standing(
        expired=order.verdict is Verdict.EXPIRED,
        failed=order.verdict in _FAILED,
        confirmed=order.confirmed_at is not None,
        on_hold=on_hold,
        awaiting_customer=order.customer_until is not None
        or any(s.stage is Stage.UNSOURCED and not s.leaving for s in shipments),
    )


def is_ended(shipment: Shipment) -> bool:
    return shipment.stage in ENDED
