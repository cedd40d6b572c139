"""payment_operations: when a refund that was refused became due again"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment_operations", sa.Column("retried_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_payment_operations_retried"),
        "payment_operations",
        "retried_at IS NULL OR (kind = 'refund' AND outcome = 'refused')",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_payment_operations_retried"), "payment_operations")
    op.drop_column("payment_operations", "retried_at")
