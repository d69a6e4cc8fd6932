"""Several contacts of an agent at a time, of which one is a telephone call; what callers take along to a queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Say of each open offer which place it takes up beside its agent's others, and of each caller what the flow
    has asked for by itself, in which step of it they wait, and by which key they left.
    """
    op.add_column("queue_entries", sa.Column("own_needs", sa.String))
    op.add_column("queue_entries", sa.Column("visit", sa.Integer, nullable=False, server_default="0"))
    op.add_column("queue_entries", sa.Column("exit_key", sa.String(1), nullable=False, server_default=""))
    op.add_column("offers", sa.Column("slot", sa.String(26), nullable=False, server_default="voice"))
    is_open = sa.text("state <> 'ended'")
    op.drop_index("offers_open_agent", "offers")
    op.create_index(
        "offers_open_agent",
        "offers",
        ["agent", "slot"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
