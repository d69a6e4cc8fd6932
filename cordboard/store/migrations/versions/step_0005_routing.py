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
        sa.Column("asks", sa.String, nullable=False, server_default=""),
        sa.Column("asks_until", sa.Float),
        sa.Column("rank", sa.Integer, nullable=False, server_default="0"),
        sa.Column("stands_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("held_until", sa.Float),
        sa.Column("estimate_s", sa.Float),
        sa.Column("told_s", sa.Float),
        sa.Column("asked_queue", sa.String(64), nullable=False, server_default=""),
        sa.Column("identity", sa.String(64), nullable=False, server_default=""),
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
        sa.Column("mode", sa.String(16), nullable=False, server_default=""),
        sa.Column("dial_until", sa.Float),
    )


def _order_lines() -> None:
    """Who stands first is told by columns of its own, and those who ask for the same stand together."""
    op.execute("UPDATE queue_entries SET rank = priority, stands_at = entered_at")
    order: list[Any] = [sa.text("rank DESC"), "stands_at", "call_id"]
    is_waiting, is_in_line = sa.text("state = 'waiting'"), sa.text("state <> 'left' AND state <> 'talking'")
    is_relaxing = sa.text("state <> 'left' AND state <> 'talking' AND asks_until IS NOT NULL")
    for name, columns, condition in (
        ("queue_entries_waiting", ["queue", "asks", *order, "state"], is_waiting),
        ("queue_entries_in_line", ["queue", *order], is_in_line),
    ):
        op.drop_index(name, "queue_entries")
        op.create_index(name, "queue_entries", columns, sqlite_where=condition, postgresql_where=condition)
    op.create_index(
        "queue_entries_relaxing",
        "queue_entries",
        ["asks_until"],
        sqlite_where=is_relaxing,
        postgresql_where=is_relaxing,
    )


def _leave_room() -> None:
    """Leases are written each second: with room in its page for the new row PostgreSQL leaves the indexes alone,
    which for 10,000 waiting callers is the difference between 300 and 30 ms.
    """
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE queue_entries SET (fillfactor = 50)")


def upgrade() -> None:
    """Add the columns, and the table of what each queue remembers between two choices."""
    for table, columns in (("queue_entries", _entries()), ("agent_states", _agents()), ("callbacks", _callbacks())):
        for column in columns:
            op.add_column(table, column)
    _order_lines()
    _leave_room()
    is_away = sa.text("state = 'away'")
    op.create_index(
        "queue_entries_held", "queue_entries", ["held_until"], sqlite_where=is_away, postgresql_where=is_away
    )
    is_paused = sa.text("presence = 'paused'")
    op.create_index(
        "agent_states_paused", "agent_states", ["paused_until"], sqlite_where=is_paused, postgresql_where=is_paused
    )
    op.create_table(
        "agent_pins",
        sa.Column("agent", sa.String(64), primary_key=True),
        sa.Column("pin_hash", sa.String, nullable=False),
    )
    is_open = sa.text("state <> 'ended'")
    op.drop_index("offers_open_entry", "offers")
    op.create_index(
        "offers_open_entry",
        "offers",
        ["entry_id", "agent"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    is_handed_out = sa.text("state = 'ringing' AND agent_leg_id = ''")
    op.create_index(
        "offers_handed_out", "offers", ["entry_id"], sqlite_where=is_handed_out, postgresql_where=is_handed_out
    )
    op.create_index("ix_callbacks_entry_id", "callbacks", ["entry_id"])
    op.create_table(
        "queue_memory",
        sa.Column("queue", sa.String(64), primary_key=True),
        sa.Column("last_agent", sa.String(64), nullable=False),
        sa.Column("data", sa.String, nullable=False),
    )
