"""What must be true of the rows, as SQL that returns those of which it is not. Read-only, and independent of the
stores: it repeats none of their code, so that it does not repeat their mistakes.

Each rule is true after every commit, but for those `at_rest`, which an order in motion may break for a moment.
"""

from dataclasses import dataclass
from typing import Final

from models.conservation import Checked, Finding

_BY_ORDER: Final = "x.order_id = ANY(:orders)"
_BY_SHELF: Final = "(x.sku, x.location_id) IN (SELECT sku, location_id FROM reservations WHERE holder = ANY(:orders))"

_ORDERS: Final = "SELECT id AS order_id FROM orders"
_STOCK: Final = "SELECT sku, location_id FROM stock"
_LOTS: Final = "SELECT sku, location_id FROM lots"
_HELD: Final = "SELECT holder AS order_id FROM reservations WHERE state = 'active'"
_CAPTURES: Final = "SELECT order_id FROM payment_operations WHERE kind = 'capture' AND outcome = 'succeeded'"


@dataclass(frozen=True, slots=True)
class Rule:
    """`population` and `wrong` are queries; the columns of `wrong` fill `subject` and `words`.

    Both have an `order_id`, or a `sku` and a `location_id`: `scope` cuts them down to some orders by it.
    """

    code: str
    what: str
    population: str
    wrong: str
    words: str
    subject: str = "{order_id}"
    scope: str = _BY_ORDER
    at_rest: bool = False

    def checked(self, looked_at: int, rows: list[dict[str, object]]) -> Checked:
        findings = (
            Finding(self.code, self.subject.format(**row), self.words.format(**row), _text(row.get("order_id")))
            for row in rows
        )
        return Checked(self.code, self.what, looked_at, tuple(findings), self.at_rest)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _shelf(code: str, what: str, wrong: str, words: str, *, lots: bool = False) -> Rule:
    subject = "{sku} at {location_id}" + (" in {lot}" if lots else "")
    return Rule(code, what, _LOTS if lots else _STOCK, wrong, words, subject, _BY_SHELF)


_STOCK_RULES = (
    _shelf(
        "O1",
        "stock rows: reserved is what active reservations hold",
        """
        SELECT s.sku, s.location_id, s.reserved, coalesce(r.held, 0) AS held
        FROM stock s
        LEFT JOIN (
            SELECT sku, location_id, sum(quantity) AS held FROM reservations WHERE state = 'active' GROUP BY 1, 2
        ) r USING (sku, location_id)
        WHERE s.reserved <> coalesce(r.held, 0)
        """,
        "the row says {reserved} reserved, but its active reservations hold {held}",
    ),
    _shelf(
        "O1",
        "stock rows: nothing is held that is not there",
        """
        SELECT s.sku, s.location_id, s.on_hand, s.reserved, coalesce(r.held, 0) AS held
        FROM stock s
        LEFT JOIN (
            SELECT sku, location_id, sum(quantity) AS held FROM reservations WHERE state = 'active' GROUP BY 1, 2
        ) r USING (sku, location_id)
        WHERE s.reserved < 0 OR greatest(s.reserved, coalesce(r.held, 0)) > s.on_hand
        """,
        "oversold: {on_hand} on hand, {reserved} reserved by the row, {held} by active reservations",
    ),
    _shelf(
        "O1",
        "lots: reserved is what active reservations hold, and no more than is there",
        """
        SELECT l.sku, l.location_id, l.id AS lot, l.on_hand, l.reserved, coalesce(r.held, 0) AS held
        FROM lots l
        LEFT JOIN (
            SELECT lot_id, sum(quantity) AS held FROM reservations WHERE state = 'active' GROUP BY 1
        ) r ON r.lot_id = l.id
        WHERE l.reserved <> coalesce(r.held, 0) OR l.reserved < 0 OR coalesce(r.held, 0) > l.on_hand
        """,
        "the lot has {on_hand} on hand and says {reserved} reserved; its active reservations hold {held}",
        lots=True,
    ),
    _shelf(
        "O1",
        "stock rows: their lots add up to them",
        """
        SELECT s.sku, s.location_id, s.on_hand, s.reserved,
               coalesce(l.on_hand, 0) AS in_lots, coalesce(l.reserved, 0) AS reserved_in_lots
        FROM stock s
        LEFT JOIN (
            SELECT sku, location_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM lots GROUP BY 1, 2
        ) l USING (sku, location_id)
        WHERE (s.on_hand, s.reserved) <> (coalesce(l.on_hand, 0), coalesce(l.reserved, 0))
        """,
        "the row says {on_hand} on hand and {reserved} reserved, its lots {in_lots} and {reserved_in_lots}",
    ),
    _shelf(
        "O1",
        "lots: held and moved only as what they are, where they are",
        """
        SELECT l.sku, l.location_id, l.id AS lot, w.whose, w.sku AS as_sku, w.location_id AS as_place
        FROM lots l
        JOIN (
            SELECT 'reservation ' || id AS whose, lot_id, sku, location_id FROM reservations
            UNION ALL SELECT 'movement ' || id, lot_id, sku, location_id FROM movements
        ) w ON w.lot_id = l.id
        WHERE (w.sku, w.location_id) <> (l.sku, l.location_id)
        """,
        "{whose} names this lot, but as {as_sku} at {as_place}",
        lots=True,
    ),
    _shelf(
        "O2",
        "stock rows: on hand is the sum of the movements",
        """
        SELECT s.sku, s.location_id, s.on_hand, coalesce(m.moved, 0) AS moved
        FROM stock s
        LEFT JOIN (
            SELECT sku, location_id, sum(quantity) AS moved FROM movements GROUP BY 1, 2
        ) m USING (sku, location_id)
        WHERE s.on_hand <> coalesce(m.moved, 0)
        """,
        "the row says {on_hand} on hand, the ledger of movements adds up to {moved}",
    ),
    _shelf(
        "O2",
        "lots: on hand is the sum of the movements",
        """
        SELECT l.sku, l.location_id, l.id AS lot, l.on_hand, coalesce(m.moved, 0) AS moved
        FROM lots l
        LEFT JOIN (SELECT lot_id, sum(quantity) AS moved FROM movements GROUP BY 1) m ON m.lot_id = l.id
        WHERE l.on_hand <> coalesce(m.moved, 0)
        """,
        "the lot says {on_hand} on hand, the ledger of movements adds up to {moved}",
        lots=True,
    ),
)

_HOLDING_RULES = (
    Rule(
        "O3",
        "closed orders hold no stock",
        "SELECT id AS order_id FROM orders WHERE closed_at IS NOT NULL",
        """
        SELECT o.id AS order_id, r.id, r.quantity, r.sku, r.location_id
        FROM orders o JOIN reservations r ON r.holder = o.id AND r.state = 'active'
        WHERE o.closed_at IS NOT NULL
        """,
        "the order is closed, but reservation {id} still holds {quantity} of {sku} at {location_id}",
    ),
    Rule(
        "O3",
        "active reservations: each has a holder that may hold",
        _HELD,
        """
        SELECT r.holder AS order_id, r.id, r.quantity, r.sku, r.location_id
        FROM reservations r
        WHERE r.state = 'active'
          AND NOT EXISTS (SELECT FROM orders o WHERE o.id = r.holder)
          AND NOT EXISTS (SELECT FROM cart_holds c WHERE c.id = r.holder AND c.released_at IS NULL)
        """,
        "reservation {id} holds {quantity} of {sku} at {location_id} for neither an order nor a cart that may hold",
    ),
    Rule(
        "O3",
        "active reservations: their unit is alive, and lies where it is held",
        _HELD,
        """
        SELECT r.holder AS order_id, r.id, r.unit_id, coalesce(u.state, 'unknown') AS state, r.sku, r.location_id,
               r.lot_id, coalesce(s.location_id, 'nowhere') AS lies_at, coalesce(u.lot_id, 'no lot') AS lies_in
        FROM reservations r
        LEFT JOIN order_units u ON u.id = r.unit_id
        LEFT JOIN shipments s ON s.id = u.shipment_id
        WHERE r.state = 'active' AND r.unit_id IS NOT NULL AND (
            u.id IS NULL OR u.order_id <> r.holder OR u.sku <> r.sku
            OR NOT (
                u.state IN ('reserved', 'accepted', 'picked', 'packed')
                OR (u.state = 'cancelled' AND (s.leaving OR s.stage IN ('packed', 'labelled', 'captured')))
            )
            OR s.location_id IS DISTINCT FROM r.location_id OR u.lot_id IS DISTINCT FROM r.lot_id
        )
        """,
        "reservation {id} holds {sku} at {location_id} in {lot_id} for unit {unit_id}, which is {state} and belongs"
        " to {lies_at} in {lies_in}",
    ),
    Rule(
        "O3",
        "confirmed orders: what is not shipped yet is held",
        "SELECT id AS order_id FROM orders WHERE confirmed_at IS NOT NULL",
        """
        SELECT u.order_id, u.id, u.state, u.sku
        FROM order_units u JOIN orders o ON o.id = u.order_id AND o.confirmed_at IS NOT NULL
        WHERE u.state IN ('reserved', 'accepted', 'picked', 'packed')
          AND NOT EXISTS (SELECT FROM reservations r WHERE r.unit_id = u.id AND r.state = 'active')
        """,
        "unit {id} ({sku}) is {state}, but no active reservation holds it",
        at_rest=True,
    ),
)

_MONEY_RULES = (
    Rule(
        "O4",
        "captures recorded: each is the price of its units and its part of the shipping charge",
        _CAPTURES,
        """
        SELECT p.order_id, p.key, p.amount, p.shipping, coalesce(sum(u.amount), 0) AS units
        FROM payment_operations p LEFT JOIN order_units u ON u.captured_by = p.key
        WHERE p.kind = 'capture' AND p.outcome = 'succeeded'
        GROUP BY p.key
        HAVING p.amount <> coalesce(sum(u.amount), 0) + p.shipping
        """,
        "capture {key} took {amount}, but its units cost {units} and its shipping charge is {shipping}",
    ),
    Rule(
        "O4",
        "captures recorded: the shipping charge is taken once and whole",
        _CAPTURES,
        """
        SELECT o.id AS order_id, sum(p.shipping) AS taken,
               o.shipping + CASE WHEN o.includes_tax THEN 0 ELSE o.shipping_tax END AS charge
        FROM orders o JOIN payment_operations p ON p.order_id = o.id AND p.kind = 'capture' AND p.outcome = 'succeeded'
        GROUP BY o.id
        HAVING sum(p.shipping) <> o.shipping + CASE WHEN o.includes_tax THEN 0 ELSE o.shipping_tax END
        """,
        "the captures took {taken} of shipping charge in all; the order's is {charge}",
    ),
    Rule(
        "O4",
        "units paid for: by a capture that succeeded, of their own shipment",
        "SELECT order_id FROM order_units WHERE captured_by IS NOT NULL",
        """
        SELECT u.order_id, u.id, u.captured_by, p.kind, coalesce(p.outcome, 'unknown') AS outcome
        FROM order_units u JOIN payment_operations p ON p.key = u.captured_by
        WHERE p.kind <> 'capture' OR p.outcome IS DISTINCT FROM 'succeeded' OR p.order_id <> u.order_id
           OR (p.shipment_id IS DISTINCT FROM u.shipment_id AND u.state <> 'cancelled')
        """,
        "unit {id} counts as paid by {captured_by}, a {kind} of another shipment or one whose outcome is {outcome}",
    ),
    Rule(
        "O4",
        "refunds recorded: each is the price of its units and its part of the shipping charge",
        "SELECT order_id FROM payment_operations WHERE kind = 'refund' AND outcome IS NOT NULL",
        """
        SELECT p.order_id, p.key, p.amount, p.shipping, coalesce(sum(u.amount), 0) AS units
        FROM payment_operations p LEFT JOIN order_units u ON u.id IN (SELECT jsonb_array_elements_text(p.units))
        WHERE p.kind = 'refund' AND p.outcome IS NOT NULL
        GROUP BY p.key
        HAVING p.amount <> coalesce(sum(u.amount), 0) + p.shipping
        """,
        "refund {key} gave {amount} back, but its units cost {units} and its shipping charge is {shipping}",
    ),
    Rule(
        "O4",
        "units paid for: given back once, and only what the customer does not have",
        "SELECT order_id FROM order_units WHERE refunded_by IS NOT NULL",
        """
        SELECT u.order_id, u.id, u.state, u.refunded_by FROM order_units u
        WHERE u.refunded_by IS NOT NULL AND (u.state NOT IN ('cancelled', 'returned', 'lost') OR (
            SELECT count(*) FROM payment_operations p
            WHERE p.order_id = u.order_id AND p.kind = 'refund' AND p.outcome IN ('succeeded', 'pending')
              AND p.units ? u.id
        ) > 1)
        """,
        "unit {id} ({state}) was refunded by {refunded_by}, though the customer has it or it was refunded before",
    ),
    Rule(
        "O5",
        "parcels handed over: captured before, but where a carrier's scan came first",
        "SELECT order_id FROM shipments WHERE handed_over_at IS NOT NULL",
        """
        SELECT s.order_id, s.id, s.handed_over_at, coalesce(s.captured_at::text, 'never') AS captured_at
        FROM shipments s JOIN orders o ON o.id = s.order_id
        WHERE s.handed_over_at IS NOT NULL AND (s.captured_at IS NULL OR s.captured_at > s.handed_over_at)
          AND o.total > 0
          AND NOT EXISTS (
              SELECT FROM events e
              WHERE e.aggregate = s.order_id AND e.type = 'shipment.handed_over' AND e.actor = 'carrier'
                AND e.data ->> 'shipment' = s.id
          )
        """,
        "handed over at {handed_over_at}, captured {captured_at}",
        subject="{id}",
    ),
)

_BOOK_RULES = (
    Rule(
        "O7",
        "orders: units and shipping add up to the total",
        _ORDERS,
        """
        SELECT o.id AS order_id, o.total, coalesce(sum(u.amount), 0) AS units,
               o.shipping + CASE WHEN o.includes_tax THEN 0 ELSE o.shipping_tax END AS charge
        FROM orders o LEFT JOIN order_units u ON u.order_id = o.id
        GROUP BY o.id
        HAVING o.total <> coalesce(sum(u.amount), 0) + o.shipping
               + CASE WHEN o.includes_tax THEN 0 ELSE o.shipping_tax END
        """,
        "the total is {total}, but its units cost {units} and its shipping {charge}",
    ),
    Rule(
        "O7",
        "order lines: their units' shares add up to them",
        "SELECT order_id FROM order_lines",
        """
        SELECT l.order_id, l.id, l.unit_price * l.quantity AS price, l.discount, l.tax,
               coalesce(sum(u.price), 0) AS unit_prices, coalesce(sum(u.discount), 0) AS unit_discounts,
               coalesce(sum(u.tax), 0) AS unit_taxes
        FROM order_lines l LEFT JOIN order_units u ON u.line_id = l.id
        GROUP BY l.id
        HAVING (l.unit_price * l.quantity, l.discount, l.tax)
            <> (coalesce(sum(u.price), 0), coalesce(sum(u.discount), 0), coalesce(sum(u.tax), 0))
        """,
        "price, discount and tax are {price}, {discount}, {tax}; its units' are {unit_prices}, {unit_discounts},"
        " {unit_taxes}",
        subject="{id}",
    ),
    Rule(
        "O7",
        "orders: events are numbered without a gap, up to the newest",
        _ORDERS,
        """
        SELECT o.id AS order_id, o.last_event, count(e.id) AS events, coalesce(max(e.seq), 0) AS newest
        FROM orders o LEFT JOIN events e ON e.aggregate = o.id
        GROUP BY o.id
        HAVING count(e.id) <> o.last_event OR coalesce(max(e.seq), 0) <> o.last_event
        """,
        "the order counts {last_event} events; there are {events}, the newest is number {newest}",
    ),
    Rule(
        "O7",
        "units: one live claim each",
        "SELECT order_id FROM claims WHERE live",
        """
        SELECT min(order_id) AS order_id, unit_id, count(*) AS live, string_agg(kind, ', ' ORDER BY id) AS kinds
        FROM claims WHERE live GROUP BY unit_id HAVING count(*) > 1
        """,
        "{live} live claims: {kinds}",
        subject="{unit_id}",
    ),
    Rule(
        "O7",
        "open cases: somebody who can act owns each",
        "SELECT order_id FROM cases WHERE closed_at IS NULL",
        """
        SELECT order_id, id, type, owner FROM cases
        WHERE closed_at IS NULL AND owner NOT IN ('cs', 'store', 'ops', 'admin')
        """,
        "the open case {type} is owned by {owner}, who cannot act on it",
        subject="{id}",
    ),
    Rule(
        "O7",
        "commands answered: each is in the audit, once",
        "SELECT order_id FROM commands WHERE outcome IS NOT NULL",
        """
        SELECT c.order_id, c.id, c.kind, count(a.id) AS rows
        FROM commands c LEFT JOIN audit a ON a.detail ->> 'command' = c.id
        WHERE c.outcome IS NOT NULL
        GROUP BY c.id HAVING count(a.id) <> 1
        """,
        "this {kind} was answered and has {rows} rows in the audit",
        subject="{id}",
    ),
)

RULES: Final = (*_STOCK_RULES, *_HOLDING_RULES, *_MONEY_RULES, *_BOOK_RULES)
