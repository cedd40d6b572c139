"""Carts' holds: made, lent to an order, given back, released. A part of `StockStore`."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Integer, func, insert, select, update
from sqlalchemy.orm import Session

from models.stock import Ask, CartItem, Key, Reserved, Short
from models.stores import stock_holds, stock_rows
from models.tables.stock import CartHold, Reservation
from models.words import ReservationState


class CartHolds:
    def hold_cart(
        self,
        session: Session,
        hold_id: str,
        caller: str,
        items: Sequence[CartItem],
        *,
        expires_at: datetime,
        now: datetime,
    ) -> Reserved | Short:
        """Hold a cart's items under the name `hold_id` until `expires_at`, all or nothing."""
        asks = [Ask(item.sku, item.location_id, item.quantity) for item in items]
        held = stock_holds.take(session, hold_id, asks, expires_at=expires_at, now=now)
        if isinstance(held, Reserved):
            session.execute(insert(CartHold).values(id=hold_id, caller=caller, expires_at=expires_at, created_at=now))
        return held

    def release_cart(self, session: Session, hold_id: str, now: datetime) -> None:
        """End the hold. One that an order uses meanwhile no longer comes back from it. Twice is once."""
        session.execute(
            update(CartHold).where(CartHold.id == hold_id, CartHold.released_at.is_(None)).values(released_at=now)
        )
        stock_holds.let_go(session, hold_id, now)

    def lend_cart(self, session: Session, hold_id: str, order_id: str, now: datetime) -> bool:
        """Give the hold to one order: `reserve` with `cart=hold_id` then uses its units. False: it is over or taken.

        Until that succeeds the units stay the cart's; no stock row is locked here.
        """
        cart = self._cart(session, hold_id)
        if cart is None or cart.released_at or cart.expires_at <= now or cart.adopted_by not in {None, order_id}:
            return False
        cart.adopted_by = order_id
        session.flush()
        return True

    def lender(self, session: Session, hold_id: str | None, order_id: str) -> list[str]:
        """The hold, if it is lent to this order; else nothing, and its units are not the order's to use."""
        if hold_id is None:
            return []
        lent = select(CartHold.id).where(
            CartHold.id == hold_id, CartHold.adopted_by == order_id, CartHold.released_at.is_(None)
        )
        return list(session.scalars(lent))

    def held_by(self, session: Session, lenders: Sequence[str], now: datetime) -> dict[Key, int]:
        """What these holds have that has not expired, by (SKU, location)."""
        rows = session.execute(
            select(Reservation.sku, Reservation.location_id, func.sum(Reservation.quantity).cast(Integer))
            .where(Reservation.holder == stock_rows.one_of(lenders), stock_rows.active, Reservation.expires_at > now)
            .group_by(Reservation.sku, Reservation.location_id)
        )
        return {(sku, location_id): quantity for sku, location_id, quantity in rows}

    def return_cart(self, session: Session, hold_id: str, order_id: str, now: datetime) -> bool:
        """After a decline: what the order holds is released, and what it had from the cart is the cart's again.

        False: that hold is over, is another order's, or its units were taken; the order's are released all the same.
        """
        cart = self._cart(session, hold_id)
        stock_rows.lock(session, holders=[order_id, hold_id])
        stock_holds.let_go(session, order_id, now)
        if cart is None or cart.adopted_by != order_id:
            return False
        cart.adopted_by = None
        lent = session.execute(
            update(Reservation)
            .where(Reservation.holder == hold_id, Reservation.state == stock_rows.LENT)
            .values(state=ReservationState.RELEASED, expires_at=None)
            .returning(Reservation.sku, Reservation.location_id, Reservation.quantity)
            .execution_options(synchronize_session=False)
        ).all()
        if cart.released_at or cart.expires_at <= now:
            return False
        if not lent:  # the order ended before it had used the hold
            return True
        asks = [Ask(row.sku, row.location_id, row.quantity) for row in lent]
        back = stock_holds.take(session, hold_id, asks, expires_at=cart.expires_at, now=now, safety=False)
        return isinstance(back, Reserved)

    def _cart(self, session: Session, hold_id: str) -> CartHold | None:
        return session.scalar(select(CartHold).where(CartHold.id == hold_id).with_for_update())
