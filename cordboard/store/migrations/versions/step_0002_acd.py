"""Queues, agents, offers, the ledger, and who may log in to the desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of the ACD."""
    _queue_entries()
    _agent_states()
    _devices()
    _offers()
    _callers()
    _parties()
    _ledger()
    _leases()
    _logins()
    _desk_sessions()
    _meta()


def _queue_entries() -> None:
    op.create_table(
        "queue_entries",
        sa.Column("entry_id", sa.String(26), primary_key=True),
        sa.Column("call_id", sa.String(26), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("leg_id", sa.String(128), nullable=False),
        sa.Column("switch", sa.String(32), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("entered_at", sa.Float, nullable=False),
        sa.Column("entered_boot", sa.Float, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("lease_until", sa.Float, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("left_at", sa.Float),
        sa.Column("left_because", sa.String(16)),
        sa.Column("party_ref", sa.String(26), nullable=False),
    )
    op.create_index("ix_queue_entries_call_id", "queue_entries", ["call_id"])
    op.create_index(
        "queue_entries_in_line",
        "queue_entries",
        ["queue", sa.text("priority DESC"), "entered_at", "call_id"],
        sqlite_where=sa.text("state <> 'left' AND state <> 'talking'"),
        postgresql_where=sa.text("state <> 'left' AND state <> 'talking'"),
    )
    op.create_index(
        "queue_entries_live",
        "queue_entries",
        ["call_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'left'"),
        postgresql_where=sa.text("state <> 'left'"),
    )
    op.create_index(
        "queue_entries_owned",
        "queue_entries",
        ["owner"],
        sqlite_where=sa.text("state <> 'left'"),
        postgresql_where=sa.text("state <> 'left'"),
    )
    op.create_index(
        "queue_entries_waiting",
        "queue_entries",
        ["queue", sa.text("priority DESC"), "entered_at", "call_id"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _agent_states() -> None:
    op.create_table(
        "agent_states",
        sa.Column("agent", sa.String(64), primary_key=True),
        sa.Column("presence", sa.String(16), nullable=False),
        sa.Column("presence_reason", sa.String(64), nullable=False),
        sa.Column("presence_since_at", sa.Float, nullable=False),
        sa.Column("activity", sa.String(16), nullable=False),
        sa.Column("activity_since_at", sa.Float, nullable=False),
        sa.Column("offer_id", sa.String(26)),
        sa.Column("idle_since_at", sa.Float, nullable=False),
        sa.Column("blocked_until", sa.Float, nullable=False),
        sa.Column("wrap_up_until", sa.Float),
        sa.Column("rona_in_a_row", sa.Integer, nullable=False),
    )
    op.create_index(
        "agent_states_free",
        "agent_states",
        ["idle_since_at"],
        sqlite_where=sa.text("presence = 'available' AND activity = 'idle'"),
        postgresql_where=sa.text("presence = 'available' AND activity = 'idle'"),
    )
    op.create_index(
        "agent_states_wrap_up",
        "agent_states",
        ["wrap_up_until"],
        sqlite_where=sa.text("activity = 'wrap_up'"),
        postgresql_where=sa.text("activity = 'wrap_up'"),
    )


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("device", sa.String(128), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_index(
        "devices_not_free",
        "devices",
        ["device", "state"],
        sqlite_where=sa.text("state <> 'idle' AND state <> 'unknown'"),
        postgresql_where=sa.text("state <> 'idle' AND state <> 'unknown'"),
    )


def _offers() -> None:
    op.create_table(
        "offers",
        sa.Column("offer_id", sa.String(26), primary_key=True),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.Column("call_id", sa.String(26), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("ring_by", sa.Float, nullable=False),
        sa.Column("changed_boot", sa.Float, nullable=False),
        sa.Column("ringing_at", sa.Float),
        sa.Column("answered_at", sa.Float),
        sa.Column("joined_at", sa.Float),
        sa.Column("agent_gone_at", sa.Float),
        sa.Column("talk_ended_at", sa.Float),
        sa.Column("ended_at", sa.Float),
        sa.Column("end", sa.String(16)),
        sa.Column("wrap_up_ended_at", sa.Float),
        sa.Column("disposition", sa.String(64), nullable=False),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("agent_leg_id", sa.String(128), nullable=False),
        sa.Column("party_ref", sa.String(26), nullable=False),
    )
    op.create_index("ix_offers_call_id", "offers", ["call_id"])
    op.create_index("ix_offers_entry_id", "offers", ["entry_id"])
    op.create_index("ix_offers_party_ref", "offers", ["party_ref"])
    op.create_index(
        "offers_open_agent",
        "offers",
        ["agent"],
        unique=True,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_index(
        "offers_open_entry",
        "offers",
        ["entry_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_index(
        "offers_to_ring",
        "offers",
        ["ring_by"],
        sqlite_where=sa.text("state = 'offered'"),
        postgresql_where=sa.text("state = 'offered'"),
    )


def _callers() -> None:
    op.create_table(
        "callers",
        sa.Column("call_id", sa.String(26), primary_key=True),
        sa.Column("party_ref", sa.String(26), nullable=False),
        sa.Column("ani", sa.String, nullable=False),
        sa.Column("caller_name", sa.String, nullable=False),
        sa.Column("dnis", sa.String, nullable=False),
        sa.Column("number", sa.String, nullable=False),
        sa.Column("arrived_at", sa.Float, nullable=False),
        sa.Column("path", sa.JSON, nullable=False),
        sa.Column("lookup", sa.String(16), nullable=False),
        sa.Column("customer", sa.JSON, nullable=False),
    )
    op.create_index("ix_callers_party_ref", "callers", ["party_ref"])


def _parties() -> None:
    op.create_table(
        "parties",
        sa.Column("party_ref", sa.String(26), primary_key=True),
        sa.Column("number", sa.String, nullable=False, unique=True),
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String(128), nullable=False, unique=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("call_id", sa.String(26), nullable=False),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.Column("offer_id", sa.String(26), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("party_ref", sa.String(26), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_at", "ledger", ["at"])
    op.create_index("ix_ledger_call_id", "ledger", ["call_id"])


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
    )


def _logins() -> None:
    op.create_table(
        "logins",
        sa.Column("agent", sa.String(64), primary_key=True),
        sa.Column("password_hash", sa.String, nullable=False),
    )


def _desk_sessions() -> None:
    op.create_table(
        "desk_sessions",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
    op.create_index("ix_desk_sessions_agent", "desk_sessions", ["agent"])
    op.create_index("ix_desk_sessions_expires_at", "desk_sessions", ["expires_at"])


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
