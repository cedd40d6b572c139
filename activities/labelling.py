"""How a label is bought once, whatever was lost on the way: for shipments and for returns alike."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from activities.ports import CarrierGateway
from models.errors import RejectedError
from models.shipping import choose_rate
from models.vendors import BoughtLabel, LabelAsk, NoLabelError

L = TypeVar("L")


def buy_once(carrier: CarrierGateway, ask: LabelAsk, remember: Callable[[str], str | L]) -> BoughtLabel | L:
    """A carrier's shipment sells its label once, so every try goes back to the one prepared first.

    `remember` keeps a prepared one and answers the first; anything else it answers is why none is to be bought, and is
    handed on. Preparing costs nothing: one of unknown outcome is prepared again. `NoLabelError`: none can be had.
    """
    if ask.carrier_shipment_id is not None:
        found = carrier.look(ask.carrier_shipment_id)
    else:
        with _refusal_is_a_reason():
            found = carrier.prepare(ask.parcel)
        first = remember(found.carrier_shipment_id)
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
