"""reconciliation: how far a periodic work has come, and when an order's run was last resumed"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("due", sa.Column("place", sa.Text(), nullable=True))
    op.add_column("orders", sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_inbox_unapplied", "inbox", ["signalled_at"], postgresql_where=sa.text("applied_at IS NULL")
    )
    op.create_index("ix_orders_not_closed", "orders", ["id"], postgresql_where=sa.text("closed_at IS NULL"))
    op.create_index(
        "ix_orders_closed", "orders", ["closed_at", "id"], postgresql_where=sa.text("closed_at IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_orders_closed", "orders")
    op.drop_index("ix_orders_not_closed", "orders")
    op.drop_index("ix_inbox_unapplied", "inbox")
    op.drop_column("orders", "resumed_at")
    op.drop_column("due", "place")
