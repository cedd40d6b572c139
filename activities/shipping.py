"""The carrier's steps: verify an address, buy a label and find one that was bought, ask for a refund.

A thread is never interrupted: a try that timed out ends by itself, and what it did is found by its key.
"""

from temporalio import activity

from activities.ports import CarrierGateway, LabelLedger, OrderLedger
from models.messages.activities import Learned, OrderRef, ShipmentRef
from models.shipping import choose_rate
from models.vendors import BoughtLabel, CannotPrintError, LabelAsk


class ShippingActivities:
    def __init__(self, orders: OrderLedger, labels: LabelLedger, carrier: CarrierGateway) -> None:
        self._orders = orders
        self._labels = labels
        self._carrier = carrier

    @activity.defn(no_thread_cancel_exception=True)
    def verify_address(self, ref: OrderRef) -> Learned:
        """Ask the carrier whether the address exists and where; then plan which nodes ship, and reserve there."""
        address = self._orders.destination(ref.order_id)
        return self._orders.place(ref.order_id, self._carrier.verify(address))

    @activity.defn(no_thread_cancel_exception=True)
    def buy_label(self, ref: ShipmentRef) -> Learned:
        """Buy the parcel's label: one live label a shipment, whatever was lost on the way."""
        planned = self._labels.plan_label(ref.order_id, ref.shipment_id)
        if isinstance(planned, Learned):
            return planned
        ask = planned.ask
        try:
            label = self._bought(ref.order_id, ask)
        except CannotPrintError as error:
            return self._labels.label_impossible(ref.order_id, ask.key, error.field)
        return self._labels.record_label(ref.order_id, ask.key, label)

    def _bought(self, order_id: str, ask: LabelAsk) -> BoughtLabel:
        """A carrier's shipment sells its label once, so a second try goes back to the first one's shipment.

        Preparing costs nothing: one of unknown outcome is prepared again.
        """
        if ask.carrier_shipment_id is None:
            found = self._carrier.prepare(ask.parcel)
            self._labels.record_prepared(order_id, ask.key, found.carrier_shipment_id)
        else:
            found = self._carrier.look(ask.carrier_shipment_id)
        if isinstance(found, BoughtLabel):
            return found
        rate = choose_rate(found.rates, transit_days=ask.transit_days, hazmat=ask.parcel.hazmat)
        if rate is None:
            raise CannotPrintError("rate")
        return self._carrier.buy(found.carrier_shipment_id, rate)

    @activity.defn(no_thread_cancel_exception=True)
    def void_label(self, ref: ShipmentRef) -> Learned:
        """Ask for the refund of a label that will not be used."""
        planned = self._labels.plan_label_refund(ref.order_id, ref.shipment_id)
        if isinstance(planned, Learned):
            return planned
        return self._labels.record_label_refund(ref.order_id, planned.ask, self._carrier.refund(planned.ask))
