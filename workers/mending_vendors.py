"""Reconciliation with Stripe and EasyPost: what they did and we did not hear, and what they are silent about.

Nothing is decided here: what is read goes into the inbox, as if it had been said, and its order takes it in.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import structlog

from activities.ports import CarrierGateway, PaymentGateway
from models.clock import Clock
from models.errors import ShelfwayError
from models.heard import Listed, Window
from models.heard_stripe import read_anew
from models.stores.inbox import InboxStore
from models.stores.silence import OpenRefund, Silence
from models.stores.sweeps import SweepStore
from workers.hearing import Hearing

log = structlog.get_logger()

T = TypeVar("T")

STRIPE: Final = "hear_stripe"
EASYPOST: Final = "hear_easypost"
_OURS: Final = re.compile(r"ord_[^:]+:(shp|ret)_[^:]+:label:\d+")


class MendingVendors:
    """Each method is a periodic work that blocks; it answers how many it has found."""

    def __init__(
        self,
        silence: Silence,
        inbox: InboxStore,
        sweeps: SweepStore,
        vendors: tuple[PaymentGateway, CarrierGateway],
        clock: Clock,
    ) -> None:
        self._silence = silence
        self._inbox = inbox
        self._clock = clock
        self._stripe, self._easypost = vendors
        self._events = Hearing(STRIPE, self._stripe.events, inbox, sweeps, clock)
        self._labels = Hearing(EASYPOST, self.sold, inbox, sweeps, clock)

    def hear_stripe(self) -> int:
        """Read the events that did not reach us."""
        return self._events.hear()

    def hear_easypost(self) -> int:
        """Read the labels that were sold, and keep those that our books do not have."""
        return self._labels.hear()

    def is_up_to_date(self) -> bool:
        """Whether all that the vendors did until lately was heard: before that no lost run may go on."""
        return self._events.is_up_to_date() and self._labels.is_up_to_date()

    def sold(self, window: Window, after: str | None) -> Listed:
        """A page of the labels that were sold under our keys, less those that our books have."""
        page = self._easypost.purchases(window, after)
        ours = [sold for sold in page.heard if _OURS.fullmatch(sold.subject)]
        recorded = self._silence.recorded([sold.payload["carrier_shipment_id"] for sold in ours])
        return Listed([sold for sold in ours if sold.payload["carrier_shipment_id"] not in recorded], page.after)

    def read_intents(self) -> int:
        """Read authorizations anew that nothing was heard of."""
        return _each(self._silence.intents(), self._read_intent)

    def _read_intent(self, intent_id: str) -> bool:
        view = self._stripe.look(intent_id)
        order_id = self._silence.differs(view)
        return order_id is not None and self._inbox.take(read_anew(view, order_id, self._clock.now()))

    def read_parcels(self) -> int:
        """Read parcels anew that nothing was heard of."""
        return _each(self._silence.parcels(), self._read_parcel)

    def _read_parcel(self, tracker_id: str) -> bool:
        heard = self._easypost.track(tracker_id)
        return not self._silence.is_told(heard) and self._inbox.take(heard)

    def follow_label_refunds(self) -> int:
        """Ask where refunds of labels stand; one that was rejected is asked for again once."""
        return _each(self._silence.open_refunds(), self._follow)

    def _follow(self, refund: OpenRefund) -> bool:
        status = self._easypost.refund_status(refund.carrier_shipment_id) or refund.status
        again = status == "rejected" and refund.status == "rejected"
        if again:
            status = self._easypost.refund(refund.carrier_shipment_id)
        self._silence.know_refund(refund, status, asked_again=again)
        return again or status != refund.status


def _each(things: Sequence[T], work: Callable[[T], bool]) -> int:
    """How many had news. One that a vendor refuses or cannot answer keeps none of the others."""
    found = 0
    for thing in things:
        try:
            found += work(thing)
        except ShelfwayError as error:
            log.warning("reconcile.not_read", error=type(error).__name__)
    return found
