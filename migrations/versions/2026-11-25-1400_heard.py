"""commands: when its run has answered, which is more than that Postgres has the outcome"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("commands", "sent_at", new_column_name="heard_at")
    op.execute("UPDATE commands SET heard_at = known_at")
    op.drop_index("ix_commands_open", "commands")
    op.create_index(
        "ix_commands_unheard", "commands", ["created_at"], postgresql_where=sa.text("heard_at IS NULL")
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_commands_unheard", "commands")
    op.create_index("ix_commands_open", "commands", ["created_at"], postgresql_where=sa.text("outcome IS NULL"))
    op.alter_column("commands", "heard_at", new_column_name="sent_at")
