"""Which orders are between two states: what each waits for is neither a person nor a deadline, so it will pass.

As SQL over the rows, and not by `next_step`, since whoever judges the workflow must not ask it. A fact that is left to
the operation in flight is not waited for: it is due a minute later, and by then no news.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.conservation import Motion

_DUE: Final = "u.captured_by IS NULL AND u.state NOT IN ('cancelled', 'returned', 'lost')"  # a unit to be paid for
_OPEN: Final = "s.stage NOT IN ('delivered', 're_sourced', 'cancelled')"
_USABLE: Final = "i.state = 'open' AND NOT i.superseded"

_MOVING: Final = f"""
SELECT id AS order_id, 'checkout has no verdict yet' AS why FROM orders WHERE verdict IS NULL AND closed_at IS NULL
UNION ALL
SELECT order_id, kind || ' has no outcome yet' FROM payment_operations WHERE outcome IS NULL
UNION ALL
SELECT s.order_id, 'a label is being bought'
FROM labels l JOIN shipments s ON s.id = l.shipment_id WHERE l.bought_at IS NULL AND l.refund_requested_at IS NULL
UNION ALL
SELECT r.order_id, 'a return''s label is being bought'
FROM returns r
WHERE r.wants_label AND r.closed_at IS NULL
    AND NOT EXISTS (
        SELECT FROM labels l WHERE l.return_id = r.id AND l.bought_at IS NOT NULL AND l.refund_requested_at IS NULL
    )
UNION ALL
SELECT r.order_id, 'a return''s label is to be asked back'
FROM returns r JOIN labels l ON l.return_id = r.id
WHERE r.closed_at IS NOT NULL AND r.scanned_at IS NULL AND l.refund_requested_at IS NULL
UNION ALL
SELECT order_id, 'a return is about to remind the customer or to end' FROM returns WHERE deadline <= :now
UNION ALL
SELECT s.order_id, 'a shipment is being undone' FROM shipments s WHERE s.leaving AND {_OPEN}
UNION ALL
SELECT order_id, 'an authorization is to be read anew' FROM intents WHERE look_due
UNION ALL
SELECT i.order_id, 'an authorization is to be voided'
FROM intents i WHERE i.state IN ('open', 'requires_action')
    AND (i.superseded OR NOT EXISTS (SELECT FROM order_units u WHERE u.order_id = i.order_id AND {_DUE}))
UNION ALL
SELECT order_id, 'a command (' || kind || ') has no answer yet' FROM commands WHERE outcome IS NULL
UNION ALL
SELECT order_id, 'a fact (' || kind || ') is not taken in yet'
FROM inbox WHERE order_id IS NOT NULL AND applied_at IS NULL AND (signalled_at IS NOT NULL OR due_at <= :now)
UNION ALL
SELECT s.order_id, 'a ' || s.stage || ' parcel is about to be labelled or captured'
FROM shipments s
WHERE s.stage IN ('packed', 'labelled') AND NOT s.leaving
    AND NOT EXISTS (
        SELECT FROM holds h
        WHERE h.order_id = s.order_id AND coalesce(h.shipment_id, s.id) = s.id AND h.released_at IS NULL
    )
    AND EXISTS (SELECT FROM intents i WHERE i.order_id = s.order_id AND {_USABLE})
UNION ALL
SELECT o.id, 'what is not paid for yet is about to be authorized'
FROM orders o
WHERE o.confirmed_at IS NOT NULL AND o.closed_at IS NULL AND o.total > 0 AND o.customer_until IS NULL
    AND EXISTS (SELECT FROM order_units u WHERE u.order_id = o.id AND {_DUE})
    AND NOT EXISTS (SELECT FROM intents i WHERE i.order_id = o.id AND {_USABLE})
UNION ALL
SELECT o.id, 'the order is about to be closed'
FROM orders o
WHERE o.closed_at IS NULL AND o.verdict IS NOT NULL AND o.verdict <> 'requires_action'
    AND (o.delivered_at IS NULL OR o.delivered_at + (o.timings ->> 'return_window')::interval <= :now)
    AND NOT EXISTS (SELECT FROM shipments s WHERE s.order_id = o.id AND {_OPEN})
    AND NOT EXISTS (SELECT FROM intents i WHERE i.order_id = o.id AND i.state IN ('open', 'requires_action'))
"""  # noqa: S608 (constants of this module)

_STUCK: Final = "SELECT order_id FROM cases WHERE type = 'stuck_effect' AND closed_at IS NULL AND order_id IS NOT NULL"
_REVISIONS: Final = "SELECT id AS order_id, revision FROM orders"


def motion(session: Session, orders: list[str] | None, now: datetime) -> Motion:
    """What moves at this moment, of these orders or of all."""

    def rows(query: str) -> list[tuple[str, ...]]:
        scoped = f"SELECT * FROM ({query}) x" + ("" if orders is None else " WHERE x.order_id = ANY(:orders)")  # noqa: S608
        return [tuple(row) for row in session.execute(text(scoped), {"orders": orders, "now": now})]

    stuck = frozenset(order_id for (order_id,) in rows(_STUCK))
    moving = {order_id: why for order_id, why in rows(_MOVING) if order_id not in stuck}
    return Motion(moving, stuck, {order_id: int(revision) for order_id, revision in rows(_REVISIONS)})
