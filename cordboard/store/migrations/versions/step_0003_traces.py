"""What calls did, step by step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the two tables of traces."""
    op.create_table(
        "traced_calls",
        sa.Column("call_id", sa.String(26), primary_key=True),
        sa.Column("flow", sa.String(64), nullable=False),
        sa.Column("revision", sa.String(16), nullable=False),
        sa.Column("switch", sa.String(32), nullable=False),
        sa.Column("leg_id", sa.String(128), nullable=False),
        sa.Column("dnis", sa.String, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("ani", sa.String, nullable=False),
        sa.Column("caller_name", sa.String, nullable=False),
        sa.Column("is_erased", sa.Boolean, nullable=False),
    )
    op.create_table(
        "call_steps",
        sa.Column("call_id", sa.String(26), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("flow", sa.String(64), nullable=False),
        sa.Column("revision", sa.String(16), nullable=False),
        sa.Column("node", sa.String(96), nullable=False),
        sa.Column("verb", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("record", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
