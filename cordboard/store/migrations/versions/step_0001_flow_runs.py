"""Where live calls are in their flows. Databases older than the steps have this table already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make it where it is not."""
    if sa.inspect(op.get_bind()).has_table("flow_runs"):
        return
    op.create_table(
        "flow_runs",
        sa.Column("call_id", sa.String(26), primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("leg_id", sa.String(128), nullable=False),
        sa.Column("snapshot", sa.String, nullable=False),
        sa.Column("written_at", sa.Float, nullable=False),
    )
    op.create_index("ix_flow_runs_written_at", "flow_runs", ["written_at"])
