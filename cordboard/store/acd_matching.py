"""Callers and agents brought together, as a part of the transaction that freed the agent or brought the caller.

Reads what `acd.matching` needs and no more (the free agents, and of each of their queues as many callers as
could be served), has it choose, and makes the offers. Called by `AcdStore` at the end of a transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row, bindparam, func, select

from cordboard.acd.matching import match
from cordboard.acd.model import Activity, AgentState, Presence, WaitingCall
from cordboard.store.acd_offers import WaitingEntry, make_offer
from cordboard.store.state_conditions import NOT_FREE, READY, WAITING
from cordboard.store.tables import agent_states, devices, leases, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.ports import DeviceState

_FREE = (
    select(agent_states.c.agent, agent_states.c.idle_since_at, agent_states.c.blocked_until)
    .where(READY, agent_states.c.blocked_until <= bindparam("b_boot"))
    .order_by(agent_states.c.idle_since_at)
)
_line = (WAITING, queue_entries.c.queue == bindparam("b_queue"), queue_entries.c.lease_until > bindparam("b_boot"))
_HEADS = (
    select(
        queue_entries.c.entry_id,
        queue_entries.c.call_id,
        queue_entries.c.queue,
        queue_entries.c.priority,
        queue_entries.c.entered_at,
        queue_entries.c.owner,
        queue_entries.c.fence,
        queue_entries.c.party_ref,
    )
    .where(*_line)
    .order_by(queue_entries.c.priority.desc(), queue_entries.c.entered_at, queue_entries.c.call_id)
    .limit(bindparam("b_most"))
)
_COUNT = select(func.count()).select_from(queue_entries).where(*_line)
_NOT_FREE = select(devices.c.device).where(NOT_FREE)
_LEASE = select(leases.c.until).where(leases.c.name == bindparam("b_name"))


def match_waiting(turn: Turn, needs_lease: str = "") -> None:
    """Make the offers that can be made now, if this transaction may have made any possible.

    needs_lease: a lease without whose holder nobody is offered anything, "" for none.
    """
    if not turn.may_match:
        return
    turn.may_match = False
    free = _free(turn)
    lines = _lines(turn, free)
    if not lines or (needs_lease and not _is_held(turn, needs_lease)):
        return
    _make_offers(turn, lines, [_state(row) for row in free])


def _free(turn: Turn) -> list[Row[Any]]:
    """Those who can be rung. One whose device cannot is left out here: on dead phones they would have every line of
    theirs read at every event.
    """
    ready = [row for row in turn.rows(_FREE, b_boot=turn.now.boot) if row.agent in turn.plan.agents]
    not_free = {row.device for row in turn.rows(_NOT_FREE)} if ready else set()
    return [row for row in ready if turn.plan.agents[row.agent].device not in not_free]


def _lines(turn: Turn, free: Iterable[Row[Any]]) -> dict[str, list[Row[Any]]]:
    """The heads of the queues that have free agents; of each as many as it has of those."""
    wanted = Counter(queue for row in free for queue in turn.plan.agents[row.agent].queues)
    lines = {
        queue: turn.rows(_HEADS, b_queue=queue, b_boot=turn.now.boot, b_most=most) for queue, most in wanted.items()
    }
    return {queue: line for queue, line in lines.items() if line}


def _state(row: Row[Any]) -> AgentState:
    return AgentState(
        agent=row.agent,
        presence=Presence.AVAILABLE,
        activity=Activity.IDLE,
        idle_since_at=row.idle_since_at,
        blocked_until=row.blocked_until,
        device=DeviceState.IDLE,
    )


def _make_offers(turn: Turn, lines: Mapping[str, list[Row[Any]]], free: list[AgentState]) -> None:
    calls = {queue: [_waiting_call(row) for row in line] for queue, line in lines.items()}
    entries = {row.entry_id: _entry(row) for line in lines.values() for row in line}
    waiting = {queue: _how_many(turn, queue) for queue in lines}
    for chosen in match(calls, free, turn.plan, turn.now, waiting=waiting):
        make_offer(turn, entries[chosen.call.entry_id], chosen.agent, chosen.reason)


def _waiting_call(row: Row[Any]) -> WaitingCall:
    return WaitingCall(row.entry_id, row.call_id, row.queue, row.priority, row.entered_at)


def _entry(row: Row[Any]) -> WaitingEntry:
    return WaitingEntry(row.entry_id, row.call_id, row.queue, row.owner, row.fence, row.party_ref)


def _how_many(turn: Turn, queue: str) -> int:
    """How many wait, for the words of the reason."""
    return int(turn.connection.execute(_COUNT, {"b_queue": queue, "b_boot": turn.now.boot}).scalar_one())


def _is_held(turn: Turn, lease: str) -> bool:
    row = turn.row(_LEASE, b_name=lease)
    return row is not None and row.until > turn.now.boot
