"""refunds: what each gives back, by unit"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CASES = (
    "stuck_effect", "overdue_pack", "overdue_hand_over", "tracking_silent", "unsourced", "label_impossible",
    "capture_refused", "awaiting_customer", "hold_overdue", "unknown_fact", "senseless_command",
    "tracking_contradicts", "delivery_trouble", "stock_missing", "payment_contradicts",
)  # fmt: skip
NEW = "refund_failed"


def upgrade() -> None:
    op.add_column(
        "payment_operations",
        sa.Column("units", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_payment_operations_refund_has_claim"), "payment_operations", "kind <> 'refund' OR claim_id IS NOT NULL"
    )
    op.add_column("order_units", sa.Column("refunded_by", sa.Text(), nullable=True))
    op.create_foreign_key(
        op.f("fk_order_units_refunded_by_payment_operations"), "order_units", "payment_operations", ["refunded_by"], ["key"]
    )
    op.create_check_constraint(
        op.f("ck_order_units_paid_before_refunded"), "order_units", "refunded_by IS NULL OR captured_by IS NOT NULL"
    )
    case_types(*CASES, NEW)


def downgrade() -> None:
    op.execute(f"DELETE FROM cases WHERE type = '{NEW}'")
    case_types(*CASES)
    op.drop_column("order_units", "refunded_by")
    op.drop_constraint(op.f("ck_payment_operations_refund_has_claim"), "payment_operations")
    op.drop_column("payment_operations", "units")


def case_types(*words: str) -> None:
    op.drop_constraint(op.f("ck_cases_casetype"), "cases")
    op.create_check_constraint(op.f("ck_cases_casetype"), "cases", sa.column("type").in_(words))
