"""Reconciliation of Postgres with itself: what closed orders still hold, and effects whose outcome nobody learned.

A closed order has no run, so its money's last steps are done here: the same steps, by the same table, as a run's.
"""

from typing import Final

import structlog

from activities.payments import PaymentActivities
from activities.shipping import ShippingActivities
from models.cases import SETTLE
from models.clock import Clock
from models.errors import ShelfwayError
from models.messages.activities import EffectFailed, OrderRef, ShipmentRef
from models.messages.facts import PAYMENT, Facts
from models.shipment import Do, Effect, next_step
from models.stores.leftovers import Leftovers
from models.stores.orders import OrderStore

log = structlog.get_logger()

_MOST_STEPS: Final = 10  # of one order at a time


class MendingBooks:
    """Each method is a periodic work that blocks; it answers how many it has mended."""

    def __init__(
        self,
        left: Leftovers,
        orders: OrderStore,
        payments: PaymentActivities,
        shipping: ShippingActivities,
        clock: Clock,
    ) -> None:
        self._left = left
        self._shipping = shipping
        self._orders = orders
        self._clock = clock
        self._steps = {
            Effect.VOID: payments.void,
            Effect.REFUND: payments.refund,
            Effect.LOOK: payments.look,
        }

    def release_orphans(self) -> int:
        """Free the stock that closed orders, or nobody, hold."""
        freed = {holder: self._left.let_go(holder) for holder in self._left.holders()}
        for holder, units in freed.items():
            log.warning("reconcile.orphan_released", holder=holder, units=units)
        return len(freed)

    def settle_closed(self) -> int:
        """Do what is left to be done with the money of closed orders. What can never succeed is a case."""
        orders = self._left.unsettled()
        for order_id in orders:
            try:
                self._settle(order_id)
            except ShelfwayError as error:
                if error.retryable:
                    log.warning("reconcile.away", order=order_id, error=type(error).__name__)
                    continue
                now, name = self._clock.now(), type(error).__name__
                failed = EffectFailed(order_id=order_id, key=PAYMENT, effect=SETTLE, error_type=name, stuck_until=now)
                self._orders.open_case(failed)
        return len(orders)

    def _settle(self, order_id: str) -> None:
        known = self._orders.facts(order_id).facts
        for _ in range(_MOST_STEPS):
            step = next_step(Facts(known=known), PAYMENT)
            if not isinstance(step, Do) or step.effect not in self._steps:
                return
            known = self._steps[step.effect](OrderRef(order_id=order_id)).facts
            log.warning("reconcile.closed_order_settled", order=order_id, step=step.effect.value)

    def refund_labels(self) -> int:
        """Ask back the labels of parcels that will not leave."""
        labels = self._left.labels_of_no_use()
        for order_id, shipment_id in labels:
            self._shipping.void_label(ShipmentRef(order_id=order_id, shipment_id=shipment_id))
            log.warning("reconcile.label_asked_back", order=order_id, shipment=shipment_id)
        return len(labels)

    def own_unknown_outcomes(self) -> int:
        """Give what nobody learned the outcome of an owner, and take it from them when it is known after all."""
        for order_id, key in self._left.learned():
            self._left.disown(order_id, key)
        unknown = self._left.without_outcome()
        for order_id, key in unknown:
            self._left.own(order_id, key)
            log.warning("reconcile.no_outcome", order=order_id, operation=key)
        return len(unknown)
