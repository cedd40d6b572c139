"""The carrier's steps: verify an address, buy a label and find one that was bought, ask for a refund.

A thread is never interrupted: a try that timed out ends by itself, and what it did is found by its key.
"""

from temporalio import activity

from activities import labelling
from activities.ports import CarrierGateway, LabelLedger, OrderLedger
from models.messages.activities import Learned, OrderRef, ShipmentRef


class ShippingActivities:
    def __init__(self, orders: OrderLedger, labels: LabelLedger[ShipmentRef, Learned], carrier: CarrierGateway) -> None:
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
        return labelling.buy(self._labels, self._carrier, ref)

    @activity.defn(no_thread_cancel_exception=True)
    def void_label(self, ref: ShipmentRef) -> Learned:
        """Ask for the refund of a label that will not be used; one that the carrier did not sell is struck out."""
        return labelling.ask_back(self._labels, self._carrier, ref)
