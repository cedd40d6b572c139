"""orders: a verdict is one that checkout gives an order; what is answered before there is one is never stored"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

VERDICTS = ("confirmed", "requires_action", "declined", "out_of_stock", "invalid_address", "expired", "cancelled")
OLD = ("cannot_ship_to", "price_changed")


def upgrade() -> None:
    verdicts(*VERDICTS)


def downgrade() -> None:
    verdicts(*VERDICTS, *OLD)


def verdicts(*words: str) -> None:
    op.drop_constraint(op.f("ck_orders_verdict"), "orders")
    op.create_check_constraint(op.f("ck_orders_verdict"), "orders", sa.column("verdict").in_(words))
