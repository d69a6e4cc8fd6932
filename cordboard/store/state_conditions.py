"""Conditions on states, written into the SQL as constants: only so does SQLite use the partial indexes for them."""

from __future__ import annotations

from sqlalchemy import text

READY = text("agent_states.presence = 'available' AND agent_states.activity = 'idle'")
PAUSED = text("agent_states.presence = 'paused'")
WRAPPING_UP = text("agent_states.activity = 'wrap_up'")
NOT_FREE = text("devices.state <> 'idle' AND devices.state <> 'unknown'")
UNRUNG = text("offers.state = 'offered'")
HANDED_OUT = text("offers.state = 'ringing' AND offers.agent_leg_id = ''")
OPEN_OFFER = text("offers.state <> 'ended'")
LIVE_ENTRY = text("queue_entries.state <> 'left'")
WAITING = text("queue_entries.state = 'waiting'")
AWAY = text("queue_entries.state = 'away'")
IN_LINE = text("queue_entries.state <> 'left' AND queue_entries.state <> 'talking'")
RELAXING = text(
    "queue_entries.state <> 'left' AND queue_entries.state <> 'talking' AND queue_entries.asks_until IS NOT NULL"
)
OPEN_CALLBACK = text("callbacks.state = 'waiting'")
