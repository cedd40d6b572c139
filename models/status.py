"""An order's status, computed from its units and its standing: the first that fits (RULINGS.md, Status). Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from models.words import OrderStatus, UnitState


@dataclass(frozen=True, slots=True)
class Standing:
    """What the units do not say. `confirmed`: paid for, or a method saved for what awaits supply."""

    expired: bool = False
    failed: bool = False
    confirmed: bool = False
    on_hold: bool = False
    awaiting_customer: bool = False


_GONE = (UnitState.HANDED_OVER, UnitState.DELIVERED, UnitState.RETURNED, UnitState.LOST)
_HERE = (UnitState.ACCEPTED, UnitState.PICKED, UnitState.PACKED)


def status_of(units: Sequence[UnitState], standing: Standing) -> OrderStatus:
    """Cancelled units do not count in "all"; a unit refunded as lost counts as returned."""
    if standing.expired:
        return OrderStatus.EXPIRED
    if standing.failed:
        return OrderStatus.FAILED
    count = Counter(units)
    live = len(units) - count[UnitState.CANCELLED]
    if not live:
        return OrderStatus.CANCELLED
    returned = count[UnitState.RETURNED] + count[UnitState.LOST]
    delivered = count[UnitState.DELIVERED] + returned
    gone = sum(count[state] for state in _GONE)
    for reached, whole, part in (
        (returned, OrderStatus.RETURNED, OrderStatus.PARTIALLY_RETURNED),
        (delivered, OrderStatus.DELIVERED, OrderStatus.PARTIALLY_DELIVERED),
        (gone, OrderStatus.SHIPPED, OrderStatus.PARTIALLY_SHIPPED),
    ):
        if reached:
            return whole if reached == live else part
    return _before_shipping(packing=any(count[state] for state in _HERE), standing=standing)


def _before_shipping(*, packing: bool, standing: Standing) -> OrderStatus:
    if not standing.confirmed:
        return OrderStatus.PENDING
    if standing.on_hold:
        return OrderStatus.ON_HOLD
    if standing.awaiting_customer:
        return OrderStatus.AWAITING_CUSTOMER
    return OrderStatus.PACKING if packing else OrderStatus.CONFIRMED
