"""The money's steps on an order in memory, in the three moments that they have: planned in our rows, done by the bank,
recorded in our rows. What is due, and from which authorization, is decided by the real `Book`.
"""

from dataclasses import dataclass
from datetime import timedelta

from models.messages.facts import PAYMENT, Rest
from models.shipment import Effect
from models.stores.book import GIVEN_BACK, Book
from models.words import IntentState, OperationKind, Outcome, Stage, UnitState
from tests.unit.bank_model import Answer, Bank
from tests.unit.order_rows import Hold, Intent, Operation, Shipment

KIND = {
    Effect.AUTHORIZE: OperationKind.AUTHORIZE,
    Effect.AUTHORIZE_REST: OperationKind.AUTHORIZE,
    Effect.KEEP_ALIVE: OperationKind.AUTHORIZE,
    Effect.CAPTURE: OperationKind.CAPTURE,
    Effect.VOID: OperationKind.VOID,
    Effect.REFUND: OperationKind.REFUND,
}


@dataclass
class Purse:
    book: Book
    bank: Bank
    total: int

    def plan(self, key: str, effect: Effect) -> Operation | None:
        """What this step is to do: what an earlier try planned, or a new operation; None where nothing is due."""
        if effect is Effect.AUTHORIZE and self.book.order.verdict is not None:
            return None  # it ended meanwhile: what was asked for is looked for, not asked again
        if pending := self.in_flight(key, effect):
            return pending
        match KIND[effect]:
            case OperationKind.AUTHORIZE:
                return self._plan_authorization(key, effect)
            case OperationKind.CAPTURE:
                return self._plan_capture(self.book.shipment(key))
            case OperationKind.VOID:
                return self._plan_void()
            case OperationKind.REFUND:
                return self._plan_refund()

    def in_flight(self, key: str, effect: Effect) -> Operation | None:
        return self.book.in_flight(KIND[effect], key if effect is Effect.CAPTURE else None)

    def _plan_authorization(self, key: str, effect: Effect) -> Operation | None:
        book, renews = self.book, None
        if effect is Effect.AUTHORIZE:
            amount = self.total
        elif effect is Effect.KEEP_ALIVE:
            amount, renews = self._renewal()
        elif key == PAYMENT:
            amount = book.to_pay if book.rest() is Rest.AFTER_CAPTURE else 0
        else:
            shipment = book.shipment(key)
            amount = book.due_beside(shipment) if book.is_rest_due(shipment) else 0
        return self._new(OperationKind.AUTHORIZE, amount, renews=renews) if amount else None

    def _renewal(self) -> tuple[int, str | None]:
        """A fresh one for what ages; one whose renewal was refused has lapsed by now, and is read anew instead."""
        ageing = self.book.ageing
        if ageing is None:
            return 0, None
        if ageing.renew_at == ageing.capture_before:
            ageing.look_due, ageing.renew_at = True, None
            return 0, None
        return self.book.to_pay, ageing.id

    def _plan_capture(self, shipment: Shipment) -> Operation | None:
        book = self.book
        intent = book.intent_for(shipment)
        if intent is None or not self.is_ready(shipment) or not book.owes(shipment):
            return None
        return self._new(
            OperationKind.CAPTURE,
            book.due(shipment),
            intent_id=intent.id,
            shipment_id=shipment.id,
            shipping=book.shipping_due,
            units=tuple(u.id for u in book.unpaid_of(shipment)),
            final=not (intent.multicapture and book.due_beside(shipment)),
        )

    def _plan_void(self) -> Operation | None:
        intent = self.book.to_void()
        return self._new(OperationKind.VOID, max(intent.capturable, 1), intent_id=intent.id) if intent else None

    def _plan_refund(self) -> Operation | None:
        due = self.book.refund_due()
        if due is None:
            return None
        return self._new(
            OperationKind.REFUND,
            due.amount,
            intent_id=due.intent_id,
            claim_id=due.claim_id,
            shipping=due.shipping,
            units=due.units,
        )

    def _new(self, kind: OperationKind, amount: int, **about: object) -> Operation:
        operations = self.book.operations
        leg = 1 + sum(1 for o in operations if o.kind is kind)
        if intent_id := about.get("intent_id"):
            self.book.refuse_if_busy(self.book.intent(intent_id))
        operation = Operation(f"{kind}:{leg}", kind, leg, amount, **about)
        operations.append(operation)
        return operation

    def is_ready(self, shipment: Shipment) -> bool:
        return shipment.stage is Stage.LABELLED and not shipment.leaving and not self.book.is_on_hold(shipment)

    # Recorded

    def record(self, operation: Operation, answer: Answer) -> None:
        operation.outcome, operation.reason = answer.outcome, answer.reason
        operation.intent_id = operation.intent_id or answer.intent_id
        if operation.intent_id:
            self.keep(operation.intent_id)
        match operation.kind:
            case OperationKind.CAPTURE:
                self._record_capture(operation)
            case OperationKind.REFUND:
                self._mark(operation, "refunded_by")
            case OperationKind.AUTHORIZE if operation.leg > 1:
                self._record_later_authorization(operation)
            case _:
                pass

    def keep(self, intent_id: str) -> Intent:
        """Our row as the bank has it now."""
        there = self.bank.intents[intent_id]
        ours = next((i for i in self.book.intents if i.id == intent_id), None)
        if ours is None:
            ours = Intent(
                there.id, there.amount, 0, there.state, there.multicapture, capture_before=there.capture_before
            )
            ours.renew_at = there.capture_before and there.capture_before - timedelta(days=1)
            self.book.intents.append(ours)
        ours.state, ours.capturable, ours.received = there.state, there.capturable, there.received
        return ours

    def _record_capture(self, operation: Operation) -> None:
        shipment = self.book.shipment(operation.shipment_id)
        if operation.outcome is Outcome.SUCCEEDED:
            self._mark(operation, "captured_by")
            return
        intent = self.book.intent(operation.intent_id)
        intent.superseded = intent.state is IntentState.OPEN
        if not shipment.leaving:
            self.book.holds.append(Hold(f"hold_{operation.key}", shipment.id))

    def _record_later_authorization(self, operation: Operation) -> None:
        book = self.book
        if operation.outcome is Outcome.SUCCEEDED:
            for intent in book.open_intents if operation.amount >= book.to_pay else ():
                intent.superseded = intent.id != operation.intent_id
        elif operation.renews:
            ageing = book.intent(operation.renews)
            ageing.renew_at = ageing.capture_before

    def _mark(self, operation: Operation, column: str) -> None:
        for unit in self.book.units:
            if unit.id in operation.units:
                assert getattr(unit, column) is None, f"{unit.id} is {column} {operation.key} and another"
                setattr(unit, column, operation.key)

    # What always holds at rest

    def check_conserved(self) -> None:
        """Taken less given back is what the customer has of us, and the bank's ledger is ours to the cent."""
        book, bank = self.book, self.bank
        kept = [u for u in book.units if u.captured_by and u.state not in GIVEN_BACK]
        shipped = any(u.captured_by for u in book.units) and not all(u.state is UnitState.CANCELLED for u in book.units)
        taken = sum(o.shipping for o in self._done(OperationKind.CAPTURE))
        refused = sum(o.amount for o in book.refused_refunds)
        due = sum(u.amount for u in kept) + (taken if shipped else 0) + refused
        assert bank.kept == due, f"{bank.kept} was kept, the customer has {due} of us"
        charge = book.order.shipping
        assert taken == (charge if self._done(OperationKind.CAPTURE) else 0), f"{taken} of shipping taken, not {charge}"
        ours = {i.id: (i.state, i.amount, i.capturable, i.received) for i in book.intents}
        theirs = {i.id: (i.state, i.amount, i.capturable, i.received) for i in bank.intents.values()}
        assert ours == theirs, f"our books say {ours}, the bank {theirs}"
        given = sum(o.amount for o in self._done(OperationKind.REFUND))
        assert given == sum(i.given_back for i in bank.intents.values()), "the refunds are not the bank's"

    def _done(self, kind: OperationKind) -> list[Operation]:
        good = (Outcome.SUCCEEDED, Outcome.PENDING)
        return [o for o in self.book.operations if o.kind is kind and o.outcome in good]
