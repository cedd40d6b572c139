"""The closed vocabularies of DESIGN.md: what a thing may be. No rules here, only words."""

from enum import StrEnum


class OrderStatus(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    PACKING = "packing"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    PARTIALLY_DELIVERED = "partially_delivered"
    DELIVERED = "delivered"
    PARTIALLY_RETURNED = "partially_returned"
    RETURNED = "returned"
    ON_HOLD = "on_hold"
    AWAITING_CUSTOMER = "awaiting_customer"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


class UnitState(StrEnum):
    """The life of one piece of an order line."""

    AWAITING = "awaiting"  # no stock yet: new, queued for supply, or between two nodes
    RESERVED = "reserved"
    ACCEPTED = "accepted"
    PICKED = "picked"
    PACKED = "packed"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    RETURNED = "returned"
    LOST = "lost"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """Where a shipment stands; the order of the words is the order of its life."""

    PLANNED = "planned"  # reserved, not paid for
    OFFERED = "offered"  # a store has not answered yet
    UNSOURCED = "unsourced"  # no node has the units: the customer's or ops' turn
    ACCEPTED = "accepted"  # to be picked and packed
    PACKED = "packed"
    LABELLED = "labelled"
    CAPTURED = "captured"  # paid for, may leave
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    RE_SOURCED = "re_sourced"  # its units left it for another shipment
    CANCELLED = "cancelled"


class LocationKind(StrEnum):
    WAREHOUSE = "warehouse"
    STORE = "store"


class OrderKind(StrEnum):
    SALE = "sale"
    EXCHANGE = "exchange"
    RESHIP = "reship"


class OnShortage(StrEnum):
    REFUSE = "refuse"
    PARTIAL = "partial"
    BACKORDER = "backorder"
    ASK = "ask"


class Verdict(StrEnum):
    """What checkout answers of an order; `price_changed` and `cannot_ship_to` are answers before there is one."""

    CONFIRMED = "confirmed"
    REQUIRES_ACTION = "requires_action"
    DECLINED = "declined"
    OUT_OF_STOCK = "out_of_stock"
    INVALID_ADDRESS = "invalid_address"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class ReservationState(StrEnum):
    ACTIVE = "active"
    LENT = "lent"  # a cart's hold while an order uses it; it comes back after a decline
    CONSUMED = "consumed"
    RELEASED = "released"


class Mark(StrEnum):
    """What was physically done with a reserved unit; written under the stock row's lock."""

    NONE = "none"
    PICKED = "picked"
    PACKED = "packed"
    AWAITING_COLLECTION = "awaiting_collection"


class MovementReason(StrEnum):
    RECEIPT = "receipt"
    ADJUSTMENT = "adjustment"
    COUNT = "count"
    DAMAGE = "damage"
    FOUND = "found"
    HAND_OVER = "hand_over"
    POS_SALE = "pos_sale"
    RETURN = "return"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"


class TenderKind(StrEnum):
    CARD = "card"
    STORE_CREDIT = "store_credit"
    EXCHANGE_CREDIT = "exchange_credit"


class OperationKind(StrEnum):
    """An effect at Stripe, planned as a row before it is asked for."""

    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Outcome(StrEnum):
    """What came of a payment operation; none yet is NULL."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    REQUIRES_ACTION = "requires_action"
    PENDING = "pending"  # a refund on its way


class IntentState(StrEnum):
    OPEN = "open"  # authorized, something may still be captured
    REQUIRES_ACTION = "requires_action"
    CAPTURED = "captured"  # nothing more can be captured
    VOIDED = "voided"  # canceled, lapsed included
    REFUSED = "refused"


class ClaimKind(StrEnum):
    CANCEL = "cancel"
    RETURN = "return"
    EXCHANGE = "exchange"
    RESHIP = "reship"
    LOSS = "loss"
    DISPUTE = "dispute"


class CommandKind(StrEnum):
    """What a person can ask of an order; the name of the workflow's Update."""

    CANCEL = "cancel"
    ACCEPT = "accept"
    REJECT = "reject"
    PACK = "pack"
    HAND_OVER = "hand_over"
    TAKE_OUT = "take_out"
    RECEIVE = "receive"  # of a return
    HOLD = "hold"
    RELEASE = "release"
    RETRY = "retry"


class ReturnStage(StrEnum):
    """Where a return stands. `received` and `expired` are ends; what came of a part by then stays refunded."""

    REQUESTED = "requested"
    LABELLED = "labelled"
    ON_ITS_WAY = "on_its_way"
    PARTLY_RECEIVED = "partly_received"
    RECEIVED = "received"
    EXPIRED = "expired"


class RefundOn(StrEnum):
    """The moment at which a return's money goes back."""

    RECEIPT = "receipt"
    SCAN = "scan"  # the carrier's first: before the goods are here


class Disposition(StrEnum):
    """What becomes of a piece that came back."""

    RESTOCK = "restock"
    SCRAP = "scrap"


class Role(StrEnum):
    STOREFRONT = "storefront"
    CUSTOMER = "customer"
    CS = "cs"
    STORE = "store"
    OPS = "ops"
    ADMIN = "admin"
    SYSTEM = "system"


class CaseType(StrEnum):
    """An exception that somebody owns."""

    STUCK_EFFECT = "stuck_effect"
    OVERDUE_PACK = "overdue_pack"
    OVERDUE_HAND_OVER = "overdue_hand_over"
    TRACKING_SILENT = "tracking_silent"
    UNSOURCED = "unsourced"
    LABEL_IMPOSSIBLE = "label_impossible"
    CAPTURE_REFUSED = "capture_refused"
    AWAITING_CUSTOMER = "awaiting_customer"
    HOLD_OVERDUE = "hold_overdue"
    UNKNOWN_FACT = "unknown_fact"
    SENSELESS_COMMAND = "senseless_command"
    TRACKING_CONTRADICTS = "tracking_contradicts"
    RETURN_MISSING = "return_missing"
    REFUND_FAILED = "refund_failed"
    PAYMENT_CONTRADICTS = "payment_contradicts"
    DELIVERY_TROUBLE = "delivery_trouble"
    STOCK_MISSING = "stock_missing"
    LABEL_NOT_REFUNDED = "label_not_refunded"
