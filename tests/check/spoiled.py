"""Rows spoiled by hand: for each check of the rows, statements after which it must find something, and its words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spoiled:
    """`check` is what the check says it looks at; `says` is a part of what it must find."""

    check: str
    says: str
    statements: tuple[str, ...]


_OF_WAITING = "(SELECT sku, location_id FROM reservations WHERE holder = :waiting AND state = 'active')"
_LOTS_OF_WAITING = "(SELECT lot_id FROM reservations WHERE holder = :waiting AND state = 'active')"
_COUNTS_FREELY = (
    "ALTER TABLE stock DROP CONSTRAINT ck_stock_reserved_on_hand",
    "ALTER TABLE lots DROP CONSTRAINT ck_lots_reserved_on_hand",
)

STOCK = (
    Spoiled(
        "stock rows: reserved is what active reservations hold",
        "the row says 2 reserved, but its active reservations hold 1",
        (f"UPDATE stock SET reserved = reserved + 1 WHERE (sku, location_id) IN {_OF_WAITING}",),
    ),
    Spoiled(
        "stock rows: nothing is held that is not there",
        "oversold: 0 on hand, 1 reserved by the row, 1 by active reservations",
        (*_COUNTS_FREELY, f"UPDATE stock SET on_hand = 0 WHERE (sku, location_id) IN {_OF_WAITING}"),
    ),
    Spoiled(
        "lots: reserved is what active reservations hold, and no more than is there",
        "says 0 reserved; its active reservations hold 1",
        (f"UPDATE lots SET reserved = 0 WHERE id IN {_LOTS_OF_WAITING}",),
    ),
    Spoiled(
        "stock rows: their lots add up to them",
        "its lots 0 and 0",
        (*_COUNTS_FREELY, f"UPDATE lots SET on_hand = 0, reserved = 0 WHERE id IN {_LOTS_OF_WAITING}"),
    ),
    Spoiled(
        "lots: held and moved only as what they are, where they are",
        "names this lot, but as",
        (
            (
                "UPDATE reservations r SET lot_id = (SELECT id FROM lots l WHERE l.sku <> r.sku LIMIT 1)"
                " WHERE holder = :waiting AND state = 'active'"
            ),
        ),
    ),
    Spoiled(
        "stock rows: on hand is the sum of the movements",
        "the ledger of movements adds up to 9",
        ("DELETE FROM movements WHERE order_id = :sold",),
    ),
    Spoiled(
        "lots: on hand is the sum of the movements",
        "the lot says 107 on hand, the ledger of movements adds up to 7",
        ("UPDATE stock SET on_hand = on_hand + 100", "UPDATE lots SET on_hand = on_hand + 100"),
    ),
)

HOLDING = (
    Spoiled(
        "closed orders hold no stock",
        "the order is closed, but reservation",
        ("UPDATE orders SET closed_at = now() WHERE id = :waiting",),
    ),
    Spoiled(
        "active reservations: each has a holder that may hold",
        "for neither an order nor a cart",
        ("UPDATE reservations SET holder = 'nobody' WHERE holder = :waiting",),
    ),
    Spoiled(
        "active reservations: their unit is alive, and lies where it is held",
        "which is cancelled and belongs to",
        ("UPDATE order_units SET state = 'cancelled' WHERE order_id = :waiting",),
    ),
    Spoiled(
        "active reservations: their unit is alive, and lies where it is held",
        "in no lot",
        ("UPDATE order_units SET lot_id = NULL WHERE order_id = :waiting",),
    ),
    Spoiled(
        "confirmed orders: what is not shipped yet is held",
        "is reserved, but no active reservation holds it",
        ("UPDATE reservations SET state = 'released' WHERE holder = :waiting",),
    ),
)

MONEY = (
    Spoiled(
        "captures recorded: each is the price of its units and its part of the shipping charge",
        "took 2501, but its units cost 2500 and its shipping charge is 0",
        ("UPDATE payment_operations SET amount = amount + 1 WHERE order_id = :sold AND kind = 'capture'",),
    ),
    Spoiled(
        "captures recorded: the shipping charge is taken once and whole",
        "the captures took 0 of shipping charge in all; the order's is 595",
        ("UPDATE payment_operations SET shipping = 0 WHERE order_id = :sold",),
    ),
    Spoiled(
        "units paid for: by a capture that succeeded, of their own shipment",
        "a authorize of another shipment",
        (
            (
                "UPDATE order_units SET captured_by = (SELECT min(key) FROM payment_operations"
                " WHERE order_id = :sold AND kind = 'authorize') WHERE order_id = :sold"
            ),
        ),
    ),
    Spoiled(
        "refunds recorded: each is the price of its units and its part of the shipping charge",
        "gave 3096 back, but its units cost 2500 and its shipping charge is 595",
        ("UPDATE payment_operations SET amount = amount + 1 WHERE order_id = :refunded AND kind = 'refund'",),
    ),
    Spoiled(
        "units paid for: given back once, and only what the customer does not have",
        "though the customer has it",
        ("UPDATE order_units SET state = 'delivered' WHERE order_id = :refunded",),
    ),
    Spoiled(
        "parcels handed over: captured before, but where a carrier's scan came first",
        "captured never",
        ("UPDATE shipments SET captured_at = NULL WHERE order_id = :sold",),
    ),
    Spoiled(
        "Stripe's ledger and our operations: the same, by key, amount and intent",
        "our books say capture of $25.00; Stripe has none",
        (
            (
                "INSERT INTO payment_operations"
                " (key, order_id, kind, tender, leg, intent_id, shipment_id, amount, outcome, planned_at, known_at)"
                " SELECT :waiting || '-made-up', :waiting, 'capture', 1, 1, i.id, s.id, 2500, 'succeeded', now(), now()"
                " FROM intents i JOIN shipments s ON s.order_id = i.order_id WHERE i.order_id = :waiting LIMIT 1"
            ),
        ),
    ),
    Spoiled(
        "Stripe's ledger and our operations: the same, by key, amount and intent",
        "our books say refused",
        ("UPDATE payment_operations SET outcome = 'refused' WHERE order_id = :sold AND kind = 'capture'",),
    ),
    Spoiled(
        "Stripe's intents and ours: the same state and amounts",
        "in our books",
        ("UPDATE intents SET capturable = 0 WHERE order_id = :waiting",),
    ),
    Spoiled(
        "Stripe's intents and ours: the same state and amounts",
        "our books have this intent (voided); Stripe does not",
        (
            (
                "INSERT INTO intents (id, order_id, tender, state, amount, capturable, created_at)"
                " VALUES ('pi_made_up', :waiting, 1, 'voided', 100, 0, now())"
            ),
        ),
    ),
    Spoiled(
        "Stripe's ledger: an order that ended keeps nothing and holds nothing",
        "the order is cancelled, yet Stripe holds $55.95 (requires_capture)",
        ("UPDATE orders SET status = 'cancelled' WHERE id = :waiting",),
    ),
    Spoiled(
        "Stripe's ledger: an order that ended keeps nothing and holds nothing",
        "the order is expired, yet $80.95 of it was kept",
        ("UPDATE orders SET status = 'expired' WHERE id = :sold",),
    ),
    Spoiled(
        "Stripe's ledger: what was kept is the price of what was sold",
        "$80.95 was kept; 1 units paid for and shipping are $30.95",
        ("UPDATE order_units SET state = 'lost' WHERE order_id = :sold AND sku LIKE 'LIP%'",),
    ),
)

LABELS = (
    Spoiled(
        "carrier's labels are in our books",
        "our books do not have it",
        ("DELETE FROM labels WHERE shipment_id IN (SELECT id FROM shipments WHERE order_id = :sold)",),
    ),
    Spoiled(
        "carrier's labels are in our books",
        "True) in our books",
        ("UPDATE labels SET refund_requested_at = now(), refund_status = 'submitted'",),
    ),
    Spoiled(
        "our labels are in the carrier's ledger",
        "the carrier has none of that reference",
        ("UPDATE labels SET key = key || '9'",),
    ),
    Spoiled(
        "carrier's ledger: no live label for what will not leave",
        "is live, yet the order is shipped and the parcel re_sourced",
        ("UPDATE shipments SET stage = 're_sourced' WHERE order_id = :sold",),
    ),
)


def a_return(return_id: str, *, closed: bool = False) -> str:
    """One whose run was started."""
    over, deadline = ("now()", "NULL") if closed else ("NULL", "now() + interval '1 day'")
    return (
        "INSERT INTO returns (id, order_id, location_id, stage, refund_on, wants_label, reason, actor, created_at,"
        " started_at, expires_at, deadline, closed_at)"
        f" SELECT '{return_id}', order_id, location_id, 'requested', 'receipt', false, 'r', 'a', now(), now(), now(),"
        f" {deadline}, {over} FROM shipments WHERE order_id = :waiting LIMIT 1"
    )


RUNS = (
    Spoiled(
        "open orders: each has one run that goes on",
        "the order is open (cancelled), but its run is completed",
        ("UPDATE orders SET closed_at = NULL WHERE id = :cancelled",),
    ),
    Spoiled(
        "open orders: each has one run that goes on",
        "and has no run",
        (
            "CREATE TEMP TABLE one AS SELECT * FROM orders WHERE id = :waiting",
            "UPDATE one SET id = 'ord_made_up', number = 'made up'",
            "INSERT INTO orders SELECT * FROM one",
        ),
    ),
    Spoiled(
        "closed orders: none is running",
        "but its run goes on",
        ("UPDATE orders SET closed_at = now() WHERE id = :waiting",),
    ),
    Spoiled(
        "open returns: each has one run that goes on",
        "ret_1: the return is open (requested) and has no run",
        (a_return("ret_1"),),
    ),
    Spoiled(
        "runs: every OrderWorkflow is for one of our orders",
        "for no order of ours",
        (
            "DELETE FROM order_units WHERE order_id = :declined",
            "DELETE FROM order_lines WHERE order_id = :declined",
            "DELETE FROM payment_operations WHERE order_id = :declined",
            "DELETE FROM intents WHERE order_id = :declined",
            "DELETE FROM tenders WHERE order_id = :declined",
            "DELETE FROM shipments WHERE order_id = :declined",
            "DELETE FROM sourcing_plans WHERE order_id = :declined",
            "DELETE FROM orders WHERE id = :declined",
        ),
    ),
)

BOOKS = (
    Spoiled(
        "orders: units and shipping add up to the total",
        "the total is 5595, but its units cost 5002 and its shipping 595",
        ("UPDATE order_units SET amount = amount + 1 WHERE order_id = :waiting",),
    ),
    Spoiled(
        "order lines: their units' shares add up to them",
        "price, discount and tax are 2500, 0, 7; its units' are 2500, 0, 0",
        ("UPDATE order_lines SET tax = 7 WHERE order_id = :waiting",),
    ),
    Spoiled(
        "orders: events are numbered without a gap, up to the newest",
        "there are",
        ("DELETE FROM events WHERE aggregate = :waiting AND seq = 2",),
    ),
    Spoiled(
        "orders: the status is what the units and the standing give",
        "the status is delivered, its units and standing give confirmed",
        ("UPDATE orders SET status = 'delivered' WHERE id = :waiting",),
    ),
    Spoiled(
        "units: one live claim each",
        "2 live claims: cancel, return",
        (
            "DROP INDEX uq_claims_live_unit",
            (
                "INSERT INTO claims (id, order_id, unit_id, kind, created_at)"
                " SELECT id || '2', order_id, unit_id, 'return', created_at FROM claims"
            ),
        ),
    ),
    Spoiled(
        "open cases: somebody who can act owns each",
        "is owned by customer, who cannot act on it",
        (
            (
                "INSERT INTO cases (id, type, order_id, subject, owner, detail, opened_at)"
                " VALUES ('case_1', 'unsourced', :waiting, :waiting, 'customer', '{}', now())"
            ),
        ),
    ),
    Spoiled(
        "commands answered: each is in the audit, once",
        "this cancel was answered and has 0 rows in the audit",
        ("DELETE FROM audit WHERE action = 'cancel'",),
    ),
    Spoiled(
        "orders: all are at rest",
        "not at rest: a command (hold) has no answer yet",
        (
            (
                "INSERT INTO commands (id, order_id, kind, role, actor, reason, payload, created_at)"
                " VALUES ('cmd_1', :waiting, 'hold', 'ops', 'a', 'r', '{}', now())"
            ),
        ),
    ),
)

SPOILED = (*STOCK, *HOLDING, *MONEY, *LABELS, *RUNS, *BOOKS)
