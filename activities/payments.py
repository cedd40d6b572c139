"""The money's steps: planned in Postgres, asked of Stripe once (looked up before any second try), recorded.

A thread is never interrupted: a try that timed out ends by itself, and what it did is found by its key.
"""

from temporalio import activity

from activities.ports import MoneyLedger, PaymentGateway, RefundLedger
from models.errors import VoidRefusedError
from models.messages.activities import AuthorizeRest, Lapse, Learned, OrderRef, ShipmentRef
from models.vendors import Authorization, Authorized, Planned
from models.words import IntentState


class PaymentActivities:
    def __init__(self, money: MoneyLedger, refunds: RefundLedger, gateway: PaymentGateway) -> None:
        self._money = money
        self._refunds = refunds
        self._gateway = gateway

    @activity.defn(no_thread_cancel_exception=True)
    def authorize(self, ref: OrderRef) -> Learned:
        """Authorize the order's total; its recording confirms the order."""
        return self._authorized(ref.order_id, self._money.plan_authorization(ref.order_id))

    @activity.defn(no_thread_cancel_exception=True)
    def find_authorization(self, ref: OrderRef) -> Learned:
        """Look for what was asked of Stripe before the order ended: it is given back, or was never made."""
        ask = self._money.authorization_in_doubt(ref.order_id)
        if isinstance(ask, Learned):
            return ask
        found = self._gateway.find_authorization(ask)
        if found is None:
            return self._money.give_up_authorization(ref.order_id, ask.key)
        return self._money.record_authorization(ref.order_id, ask.key, found)

    @activity.defn(no_thread_cancel_exception=True)
    def authorize_rest(self, ref: AuthorizeRest) -> Learned:
        """Authorize what the next capture would release, off-session on the saved method."""
        return self._authorized(ref.order_id, self._money.plan_rest(ref.order_id, ref.beside))

    @activity.defn(no_thread_cancel_exception=True)
    def keep_alive(self, over: Lapse) -> Learned:
        """Replace an authorization that is about to lapse by a fresh one."""
        return self._authorized(over.order_id, self._money.plan_renewal(over.order_id, over.deadline))

    @activity.defn(no_thread_cancel_exception=True)
    def capture(self, ref: ShipmentRef) -> Learned:
        """Take the money for one shipment, before it is handed over."""
        planned = self._money.plan_capture(ref.order_id, ref.shipment_id)
        if isinstance(planned, Learned):
            return planned
        answer = None if planned.fresh else self._gateway.find_capture(planned.ask)
        return self._money.record_capture(ref.order_id, planned.ask.key, answer or self._gateway.capture(planned.ask))

    @activity.defn(no_thread_cancel_exception=True)
    def void(self, ref: OrderRef) -> Learned:
        """Give an authorization back. One that is refused and still held is stuck: a case, and tried again."""
        planned = self._money.plan_void(ref.order_id)
        if isinstance(planned, Learned):
            return planned
        answer = (None if planned.fresh else self._gateway.find_void(planned.ask)) or self._gateway.void(planned.ask)
        learned = self._money.record_void(ref.order_id, planned.ask.key, answer)
        if answer.intent.state is IntentState.OPEN:
            raise VoidRefusedError(f"stripe: {answer.reason}")
        return learned

    @activity.defn(no_thread_cancel_exception=True)
    def refund(self, ref: OrderRef) -> Learned:
        """Give back what was captured for units that the customer will not have."""
        planned = self._refunds.plan_refund(ref.order_id)
        if isinstance(planned, Learned):
            return planned
        answer = None if planned.fresh else self._gateway.find_refund(planned.ask)
        return self._refunds.record_refund(ref.order_id, planned.ask.key, answer or self._gateway.refund(planned.ask))

    @activity.defn(no_thread_cancel_exception=True)
    def look(self, ref: OrderRef) -> Learned:
        """Read an intent anew, since Stripe said that something happened to it."""
        intent_id = self._money.intent_to_look_at(ref.order_id)
        if isinstance(intent_id, Learned):
            return intent_id
        return self._money.record_look(ref.order_id, self._gateway.look(intent_id))

    def _authorized(self, order_id: str, planned: Planned[Authorization] | Learned) -> Learned:
        if isinstance(planned, Learned):
            return planned
        answer: Authorized | None = None if planned.fresh else self._gateway.find_authorization(planned.ask)
        return self._money.record_authorization(
            order_id, planned.ask.key, answer or self._gateway.authorize(planned.ask)
        )
