"""What callers need, places that are kept, agents' counts, callbacks that are dialled."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def _entries() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("kind", sa.String(16), nullable=False, server_default="call"),
        sa.Column("needs", sa.String, nullable=False, server_default=""),
        sa.Column("held_until", sa.Float),
        sa.Column("estimate_s", sa.Float),
        sa.Column("told_s", sa.Float),
    )


def _agents() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("paused_until", sa.Float),
        sa.Column("rona_counts", sa.String, nullable=False, server_default="{}"),
        sa.Column("calls_today", sa.Integer, nullable=False, server_default="0"),
        sa.Column("talk_s_today", sa.Float, nullable=False, server_default="0"),
        sa.Column("counted_since_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("last_offered_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("last_call_ended_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("wrap_up_extended_s", sa.Float, nullable=False, server_default="0"),
        sa.Column("forced_by", sa.String(64), nullable=False, server_default=""),
    )


def _callbacks() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("entry_id", sa.String(26), nullable=False, server_default=""),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("due_at", sa.Float),
        sa.Column("expires_at", sa.Float),
        sa.Column("leg_id", sa.String(128), nullable=False, server_default=""),
        sa.Column("last_result", sa.String(32), nullable=False, server_default=""),
        sa.Column("prefers_agent", sa.String(64), nullable=False, server_default=""),
        sa.Column("reason", sa.String(16), nullable=False, server_default="asked"),
    )


def upgrade() -> None:
    """Add the columns, and the table of what each queue remembers between two choices."""
    for table, columns in (("queue_entries", _entries()), ("agent_states", _agents()), ("callbacks", _callbacks())):
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "queue_memory",
        sa.Column("queue", sa.String(64), primary_key=True),
        sa.Column("last_agent", sa.String(64), nullable=False),
        sa.Column("data", sa.String, nullable=False),
    )
