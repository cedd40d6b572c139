"""The carrier's steps: verify an address, buy a label and find one that was bought, ask for a refund.

A thread is never interrupted: a try that timed out ends by itself, and what it did is found by its key.
"""

from temporalio import activity

from activities.labelling import buy_once
from activities.ports import CarrierGateway, LabelLedger, OrderLedger
from models.messages.activities import Learned, OrderRef, ShipmentRef
from models.vendors import NoLabelError, Prepared


class ShippingActivities:
    def __init__(self, orders: OrderLedger, labels: LabelLedger, carrier: CarrierGateway) -> None:
        self._orders = orders
        self._labels = labels
        self._carrier = carrier

    @activity.defn(no_thread_cancel_exception=True)
    def verify_address(self, ref: OrderRef) -> Learned:
        """Ask the carrier whether the address exists and where; then plan which nodes ship, and reserve there.

        A try that finds the order's time over ends it instead, whether the carrier answers or not.
        """
        address = self._orders.destination(ref.order_id)
        if isinstance(address, Learned):
            return address
        return self._orders.place(ref.order_id, self._carrier.verify(address))

    @activity.defn(no_thread_cancel_exception=True)
    def buy_label(self, ref: ShipmentRef) -> Learned:
        """Buy the parcel's label: one live label a shipment, whatever was lost on the way."""
        planned = self._labels.plan_label(ref.order_id, ref.shipment_id)
        if isinstance(planned, Learned):
            return planned
        ask = planned.ask
        try:
            label = buy_once(
                self._carrier, ask, lambda found: self._labels.record_prepared(ref.order_id, ask.key, found)
            )
        except NoLabelError as error:
            return self._labels.label_impossible(ref.order_id, ask.key, error.reason, error.what)
        if isinstance(label, Learned):
            return label
        return self._labels.record_label(ref.order_id, ask.key, label)

    @activity.defn(no_thread_cancel_exception=True)
    def void_label(self, ref: ShipmentRef) -> Learned:
        """Ask for the refund of a label that will not be used; one that the carrier did not sell is struck out."""
        planned = self._labels.plan_label_refund(ref.order_id, ref.shipment_id)
        if isinstance(planned, Learned):
            return planned
        ask = planned.ask
        if not ask.bought:
            found = self._carrier.look(ask.carrier_shipment_id)
            if isinstance(found, Prepared):
                return self._labels.strike_out(ref.order_id, ask.key)
            self._labels.record_label(ref.order_id, ask.key, found)
        status = self._carrier.refund(ask.carrier_shipment_id)
        return self._labels.record_label_refund(ref.order_id, ask.carrier_shipment_id, status)
