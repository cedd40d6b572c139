"""The steps of an order that are one Postgres transaction each. Thin: message in, ledger call, message out.

A thread is never interrupted: a try that timed out ends by itself, and what it did is found by its key.
"""

from temporalio import activity

from activities.ports import OrderLedger
from models.messages.activities import ApplyFacts, EffectFailed, Lapse, Learned, Obey, OrderRef, Senseless, ShipmentRef


class OrderActivities:
    def __init__(self, orders: OrderLedger) -> None:
        self._orders = orders

    @activity.defn(no_thread_cancel_exception=True)
    def obey(self, ask: Obey) -> Learned:
        """Carry out a person's command, or refuse it with the reason."""
        return self._orders.obey(ask.order_id, ask.asked)

    @activity.defn(no_thread_cancel_exception=True)
    def apply_facts(self, arrived: ApplyFacts) -> Learned:
        """Take in what happened outside."""
        return self._orders.apply_facts(arrived.order_id, arrived.fact_ids)

    @activity.defn(no_thread_cancel_exception=True)
    def report(self, senseless: Senseless) -> Learned:
        """Signals came that make no sense: a case."""
        return self._orders.report(senseless.order_id, senseless.signals)

    @activity.defn(no_thread_cancel_exception=True)
    def lapse(self, over: Lapse) -> Learned:
        """A wait ended by its timer: re-source, give up or open a case, as its stage has it."""
        return self._orders.lapse(over.order_id, over.key, over.deadline)

    @activity.defn(no_thread_cancel_exception=True)
    def undo(self, ref: ShipmentRef) -> Learned:
        """Release the stock of a shipment that was cancelled: the last step of undoing."""
        return self._orders.undo(ref.order_id, ref.shipment_id)

    @activity.defn(no_thread_cancel_exception=True)
    def expire(self, ref: OrderRef) -> Learned:
        """The order was not confirmed in time: nothing of it stays held."""
        return self._orders.expire(ref.order_id)

    @activity.defn(no_thread_cancel_exception=True)
    def close(self, ref: OrderRef) -> Learned:
        """The return window is over."""
        return self._orders.close(ref.order_id)

    @activity.defn(no_thread_cancel_exception=True)
    def open_case(self, failed: EffectFailed) -> Learned:
        """An effect cannot succeed as things stand: somebody owns that from here on."""
        return self._orders.open_case(failed)
