"""Cancelling: a whole order or some of its units, until their hand-over. Each unit is claimed once, then undone.

A unit that is not packed leaves its shipment at once. One in a closed parcel stays in it until the node says that it
was taken out; its money comes back meanwhile. A shipment of which nothing is left leaves: label, money, stock.
"""

from sqlalchemy import select

from models.messages.commands import CommandOutcome
from models.refusals import CANCELLED, DONE, cancel_refusal, refused
from models.stores.answers import who
from models.stores.book import Book
from models.stores.fulfilment import Fulfilment
from models.tables.messages import Command
from models.tables.orders import Claim
from models.tables.shipments import Shipment
from models.words import ClaimKind, UnitState, Verdict


class Cancelling:
    def __init__(self, fulfilment: Fulfilment) -> None:
        self._fulfilment = fulfilment

    def cancel(self, book: Book, command: Command) -> CommandOutcome:
        """All of the units asked for or none; of a whole order, what is left of it."""
        if book.session.scalars(select(Claim.id).where(Claim.command_id == command.id)).first():
            return CANCELLED
        asked: list[str] = command.payload.get("units") or [u.id for u in book.units]
        units = [u for u in book.units if u.id in asked]
        if len(units) < len(set(asked)):
            return refused("unknown_unit", "The order has no such unit.")
        live = [u for u in units if u.state is not UnitState.CANCELLED]
        if not live:
            return refused("already_cancelled", "Nothing of it is left to cancel.")
        left = {s.id for s in book.shipments if s.handed_over_at}
        gone, here = ([u.id for u in live if (u.shipment_id in left) is away] for away in (True, False))
        if no := cancel_refusal(gone, here):
            return no
        book.claim(live, ClaimKind.CANCEL, command_id=command.id)
        book.tell("order.cancel_requested", who(command), reason=command.reason, units=len(live))
        self._fulfilment.cancel_units(book, live, command.reason)
        if book.order.confirmed_at is None and all(u.state is UnitState.CANCELLED for u in book.units):
            book.order.verdict = Verdict.CANCELLED
        return CANCELLED

    def take_out(self, book: Book, shipment: Shipment, actor: str) -> CommandOutcome:
        """The node has the cancelled units out of the parcel: their stock is free, and the parcel may go."""
        units = book.to_take_out(shipment)
        if not units:
            return refused("nothing_to_take_out", "No unit of this parcel was cancelled.")
        self._fulfilment.drop(book, units)
        book.tell("shipment.units_taken_out", actor, shipment=shipment.id, units=len(units))
        return DONE
