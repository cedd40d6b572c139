"""The carrier's steps: verify an address, buy a label and find one that was bought, ask for a refund.

A thread is never interrupted: a try that timed out ends by itself, and what it did is found by its key.
"""

from collections.abc import Generator
from contextlib import contextmanager

from temporalio import activity

from activities.ports import CarrierGateway, LabelLedger, OrderLedger
from models.errors import RejectedError
from models.messages.activities import Learned, OrderRef, ShipmentRef
from models.shipping import choose_rate
from models.vendors import BoughtLabel, LabelAsk, NoLabelError, Prepared


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
            found = self._found(ref.order_id, ask)
            if isinstance(found, Learned):
                return found
            label = found if isinstance(found, BoughtLabel) else self._bought(ask, found)
        except NoLabelError as error:
            return self._labels.label_impossible(ref.order_id, ask.key, error.reason, error.what)
        return self._labels.record_label(ref.order_id, ask.key, label)

    def _found(self, order_id: str, ask: LabelAsk) -> BoughtLabel | Prepared | Learned:
        """The carrier's shipment, which sells its label once: so every try goes back to the one prepared first.

        Preparing costs nothing: one of unknown outcome is prepared again.
        """
        if ask.carrier_shipment_id is not None:
            return self._carrier.look(ask.carrier_shipment_id)
        with _refusal_is_a_reason():
            prepared = self._carrier.prepare(ask.parcel)
        first = self._labels.record_prepared(order_id, ask.key, prepared.carrier_shipment_id)
        if isinstance(first, Learned):
            return first
        return prepared if first == prepared.carrier_shipment_id else self._carrier.look(first)

    def _bought(self, ask: LabelAsk, prepared: Prepared) -> BoughtLabel:
        rate = choose_rate(prepared.rates, transit_days=ask.transit_days, hazmat=ask.parcel.hazmat)
        if rate is None:
            raise NoLabelError("no_rate_fits")
        with _refusal_is_a_reason():
            return self._carrier.buy(prepared.carrier_shipment_id, rate)

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


@contextmanager
def _refusal_is_a_reason() -> Generator[None]:
    """What the carrier refuses for good to prepare or to sell, it did not sell."""
    try:
        yield
    except RejectedError as error:
        raise NoLabelError("carrier_refused", str(error)) from None
