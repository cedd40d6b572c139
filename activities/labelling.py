"""How a label is bought once, and asked back, whatever was lost on the way: for shipments and for returns alike."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeVar

from activities.ports import CarrierGateway, LabelLedger
from models.errors import RejectedError
from models.messages.base import Message
from models.shipping import choose_rate
from models.vendors import BoughtLabel, LabelAsk, NoLabelError, Planned, Prepared

R = TypeVar("R", bound=Message)
L = TypeVar("L", bound=Message)


def buy(labels: LabelLedger[R, L], carrier: CarrierGateway, ref: R) -> L:
    """One live label a parcel. Where none can be had, that is a case."""
    planned = labels.plan(ref)
    if not isinstance(planned, Planned):
        return planned
    ask = planned.ask
    try:
        label = _buy_once(labels, carrier, ref, ask)
    except NoLabelError as error:
        return labels.impossible(ref, ask.key, error.reason, error.what)
    return labels.record_bought(ref, ask.key, label) if isinstance(label, BoughtLabel) else label


def ask_back(labels: LabelLedger[R, L], carrier: CarrierGateway, ref: R) -> L:
    """Ask for the refund of a label of no use; one that the carrier did not sell is struck out."""
    planned = labels.plan_refund(ref)
    if not isinstance(planned, Planned):
        return planned
    ask = planned.ask
    if not ask.bought:
        found = carrier.look(ask.carrier_shipment_id)
        if isinstance(found, Prepared):
            return labels.strike_out(ref, ask.key)
        labels.record_bought(ref, ask.key, found)
    return labels.record_refund(ref, ask.key, carrier.refund(ask.carrier_shipment_id))


def _buy_once(labels: LabelLedger[R, L], carrier: CarrierGateway, ref: R, ask: LabelAsk) -> BoughtLabel | L:
    """A carrier's shipment sells its label once, so every try goes back to the one prepared first.

    Preparing costs nothing: one of unknown outcome is prepared again. `NoLabelError`: none can be had.
    """
    if ask.carrier_shipment_id is not None:
        found = carrier.look(ask.carrier_shipment_id)
    else:
        with _refusal_is_a_reason():
            found = carrier.prepare(ask.parcel)
        first = labels.record_prepared(ref, ask.key, found.carrier_shipment_id)
        if not isinstance(first, str):
            return first
        found = found if first == found.carrier_shipment_id else carrier.look(first)
    if isinstance(found, BoughtLabel):
        return found
    rate = choose_rate(found.rates, transit_days=ask.transit_days, hazmat=ask.parcel.hazmat)
    if rate is None:
        raise NoLabelError("no_rate_fits")
    with _refusal_is_a_reason():
        return carrier.buy(found.carrier_shipment_id, rate)


@contextmanager
def _refusal_is_a_reason() -> Generator[None]:
    """What the carrier refuses for good to prepare or to sell, it did not sell."""
    try:
        yield
    except RejectedError as error:
        raise NoLabelError("carrier_refused", str(error)) from None
