"""reconciliation: what was read anew because a vendor was silent, and labels that are not refunded"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CASES = (
    "stuck_effect", "overdue_pack", "overdue_hand_over", "tracking_silent", "unsourced", "label_impossible",
    "capture_refused", "awaiting_customer", "hold_overdue", "unknown_fact", "senseless_command",
    "tracking_contradicts", "delivery_trouble", "stock_missing", "payment_contradicts", "refund_failed",
    "return_missing",
)  # fmt: skip
NEW = "label_not_refunded"


def upgrade() -> None:
    for table in ("labels", "intents"):
        op.add_column(table, sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("labels", sa.Column("refund_asks", sa.Integer(), server_default="1", nullable=False))
    op.create_index(
        "ix_labels_refunds", "labels", ["refund_requested_at"],
        postgresql_where=sa.text("refund_requested_at IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_intents_holding", "intents", ["created_at"],
        postgresql_where=sa.text("state IN ('open', 'requires_action')"),
    )  # fmt: skip
    case_types(*CASES, NEW)


def downgrade() -> None:
    op.execute(f"DELETE FROM cases WHERE type = '{NEW}'")
    case_types(*CASES)
    op.drop_index("ix_intents_holding", "intents")
    op.drop_index("ix_labels_refunds", "labels")
    op.drop_column("labels", "refund_asks")
    for table in ("labels", "intents"):
        op.drop_column(table, "looked_at")


def case_types(*words: str) -> None:
    op.drop_constraint(op.f("ck_cases_casetype"), "cases")
    op.create_check_constraint(op.f("ck_cases_casetype"), "cases", sa.column("type").in_(words))
