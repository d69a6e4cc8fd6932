"""Callers who are to be called back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of callbacks."""
    op.create_table(
        "callbacks",
        sa.Column("callback_id", sa.String(26), primary_key=True),
        sa.Column("call_id", sa.String(26), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("party_ref", sa.String(26), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("requested_at", sa.Float, nullable=False),
        sa.Column("entered_at", sa.Float),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("closed_at", sa.Float),
    )
    op.create_index("ix_callbacks_call_id", "callbacks", ["call_id"])
    op.create_index("ix_callbacks_party_ref", "callbacks", ["party_ref"])
    op.create_index(
        "callbacks_open",
        "callbacks",
        ["queue", "party_ref"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
