"""What a restart of the machine means for the store: its boot clock began anew, every deadline on it is worthless.

Called by `open_database`. Leases end, and what was to happen at some moment of the old clock is due now.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from cordboard.store.state_conditions import AWAY, LIVE_ENTRY, OPEN_OFFER, RELAXING, UNRUNG, WRAPPING_UP
from cordboard.store.tables import agent_states, callbacks, leases, meta, offers, queue_entries
from cordboard.store.upserts import insert

_KEY = "boot_id"

_KNOWN = select(meta.c.value).where(meta.c.key == _KEY)
_insert = insert(meta).values(key=_KEY, value=bindparam("b_boot_id"))
_NOTE = _insert.on_conflict_do_update(index_elements=[meta.c.key], set_={"value": _insert.excluded.value})
_STALE = (
    update(leases).values(until=0.0),
    update(queue_entries).where(LIVE_ENTRY).values(lease_until=0.0, entered_boot=0.0),
    # A place that is kept for a callback had no caller on the switch; `callbacks` says when it ends.
    update(queue_entries).where(AWAY, queue_entries.c.kind != "callback").values(held_until=0.0),
    update(queue_entries).where(AWAY, queue_entries.c.kind == "callback").values(held_until=None),
    update(queue_entries).where(RELAXING).values(asks_until=0.0),
    update(callbacks).where(callbacks.c.dial_until.is_not(None)).values(dial_until=0.0),
    update(offers).where(OPEN_OFFER).values(changed_boot=0.0),
    update(offers).where(UNRUNG).values(ring_by=0.0),
    update(agent_states).values(blocked_until=0.0),
    update(agent_states).where(agent_states.c.paused_until.is_not(None)).values(paused_until=0.0),
    update(agent_states).where(WRAPPING_UP).values(wrap_up_until=0.0),
)


def is_same_boot(connection: Connection, boot_id: str) -> bool:
    """Whether the deadlines in the store are of this boot's clock."""
    return connection.execute(_KNOWN).scalar_one_or_none() == boot_id


def forget_other_boots(connection: Connection, boot_id: str) -> bool:
    """End what was timed by the clock of another boot than this. Whether there was such."""
    known = connection.execute(_KNOWN).scalar_one_or_none()
    if known == boot_id:
        return False
    for statement in _STALE:
        connection.execute(statement)
    connection.execute(_NOTE, {"b_boot_id": boot_id})
    return known is not None
