"""What the wait estimate needs, read from the store, and what was told to whom, written to it.

`WaitEstimates` reads in the reader's thread and keeps what it has learnt of each queue's past; `note_estimate` and
`note_told` write, in a transaction of the store's thread. Used by `service.wait_times`.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, select, update

from cordboard.acd.model import Activity, FloorPlan, Moment, Presence, WaitingCall
from cordboard.acd.wait_estimate import Estimate, estimate, to_tell
from cordboard.acd.wait_history import KINDS, WaitHistory
from cordboard.acd.wait_line import AtWork, AwayPlace, wait_line
from cordboard.store.acd_devices import out_of_reach
from cordboard.store.acd_needs import CALL_COLUMNS, waiting_call
from cordboard.store.acd_values import Changes
from cordboard.store.ledger import rows_after
from cordboard.store.state_conditions import AWAY, IN_LINE, OPEN_CALLBACK, WAITING
from cordboard.store.tables import agent_states, callbacks, ledger, offers, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.call_id import id_at

ROWS_READ = 50_000  # of the ledger, when a process begins: some thousand calls
AHEAD_MAX = 2_000  # of those who wait for the same agents, the first; who is further back is told nothing
NEW_S = 10.0  # who could not be estimated by then (nobody is at work) is passed over

_LAST = select(func.max(ledger.c.seq))
_LINE: Select[Any] = (
    select(*CALL_COLUMNS)
    .where(WAITING, queue_entries.c.queue.in_(bindparam("b_queues", expanding=True)))
    .order_by(queue_entries.c.entered_at)
    .limit(AHEAD_MAX)
)
_AWAY_PLACES: Select[Any] = (
    select(*CALL_COLUMNS, queue_entries.c.kind, queue_entries.c.held_until, callbacks.c.due_at)
    .join(callbacks, and_(callbacks.c.entry_id == queue_entries.c.entry_id, OPEN_CALLBACK), isouter=True)
    .where(
        AWAY,
        queue_entries.c.kind != "hung_up",
        queue_entries.c.queue.in_(bindparam("b_queues", expanding=True)),
    )
    .order_by(queue_entries.c.entered_at)
    .limit(AHEAD_MAX)
)
_QUEUES = select(queue_entries.c.queue).where(
    WAITING, queue_entries.c.call_id.in_(bindparam("b_calls", expanding=True))
)
_AT_WORK: Select[Any] = (
    select(
        agent_states.c.agent,
        agent_states.c.activity,
        agent_states.c.blocked_until,
        agent_states.c.wrap_up_until,
        offers.c.queue,
        offers.c.joined_at,
    )
    .join(offers, offers.c.offer_id == agent_states.c.offer_id, isouter=True)
    .where(agent_states.c.presence == Presence.AVAILABLE.value)
)
_IN_LINE_OF_CALL = select(
    queue_entries.c.entry_id,
    queue_entries.c.call_id,
    queue_entries.c.queue,
    queue_entries.c.party_ref,
    queue_entries.c.entered_at,
    queue_entries.c.estimate_s,
    queue_entries.c.told_s,
).where(IN_LINE, queue_entries.c.call_id == bindparam("b_call"))
_OF_ENTRY = update(queue_entries).where(queue_entries.c.entry_id == bindparam("b_entry"))
_NOTE = _OF_ENTRY.values(estimate_s=bindparam("b_s"))
_TELL = _OF_ENTRY.values(told_s=bindparam("b_s"))
_UNESTIMATED = (
    select(queue_entries.c.call_id)
    .where(
        queue_entries.c.entry_id >= bindparam("b_made_since"),  # a range of the key: most have waited for longer
        queue_entries.c.state == bindparam("b_state"),
        queue_entries.c.owner == bindparam("b_owner"),
        queue_entries.c.estimate_s.is_(None),
        queue_entries.c.entered_boot > bindparam("b_since"),
    )
    .order_by(queue_entries.c.entered_at)
    .limit(bindparam("b_most"))
)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What all estimates of one moment share."""

    waiting: dict[str, WaitingCall]
    away: list[AwayPlace]
    at_work: list[AtWork]


class WaitEstimates:
    """Estimates, from what a connection shows. Not for use by two threads at a time."""

    def __init__(self, chance: Random | None = None) -> None:
        self._chance = chance or Random()
        self._history = WaitHistory()
        self._seq: int | None = None

    def of_calls(
        self, connection: Connection, now: Moment, plan: FloorPlan, call_ids: Collection[str]
    ) -> dict[str, Estimate]:
        """How long these callers will wait, from now. Those who do not wait are left out, as is who waits for
        agents of whom none is at work.
        """
        self._read_history(connection)
        scene = _scene(connection, now, plan, _queues_beside(connection, plan, call_ids))
        found = {call_id: self._estimate(scene, call_id, now, plan) for call_id in call_ids}
        return {call_id: one for call_id, one in found.items() if one is not None}

    def _estimate(self, scene: _Scene, call_id: str, now: Moment, plan: FloorPlan) -> Estimate | None:
        call = scene.waiting.get(call_id)
        if call is None:
            return None
        line = wait_line(call, scene.waiting.values(), scene.at_work, plan, self._history, now, scene.away)
        return estimate(line, self._chance, self._history.told_share(call.queue))

    def _read_history(self, connection: Connection) -> None:
        if self._seq is None:
            self._seq = max(0, (connection.execute(_LAST).scalar_one() or 0) - ROWS_READ)
        for row in rows_after(connection, self._seq, KINDS):
            self._seq = row.seq
            self._history.take(row)


def _queues_beside(connection: Connection, plan: FloorPlan, call_ids: Collection[str]) -> list[str]:
    """The queues of these callers, and those that share agents with them."""
    own = {row.queue for row in connection.execute(_QUEUES, {"b_calls": list(call_ids)})}
    shared = {queue for agent in plan.agents.values() if own.intersection(agent.queues) for queue in agent.queues}
    return sorted(own | shared)


def _scene(connection: Connection, now: Moment, plan: FloorPlan, queues: list[str]) -> _Scene:
    waiting = {row.call_id: waiting_call(row) for row in connection.execute(_LINE, {"b_queues": queues})}
    away = out_of_reach(connection)
    at_work = [
        _at_work(row, now)
        for row in connection.execute(_AT_WORK)
        if row.agent in plan.agents and plan.agents[row.agent].device not in away
    ]
    return _Scene(waiting, _away_places(connection, now, queues), at_work)


def _away_places(connection: Connection, now: Moment, queues: list[str]) -> list[AwayPlace]:
    """Those whose place is kept. Of one who has just hung up nobody expects that they come back."""
    rows = connection.execute(_AWAY_PLACES, {"b_queues": queues})
    return [
        AwayPlace(
            waiting_call(row),
            row.kind,
            math.inf if row.held_until is None else max(0.0, row.held_until - now.boot),
            max(0.0, (row.due_at or 0.0) - now.wall),
        )
        for row in rows
    ]


def _at_work(row: Row[Any], now: Moment) -> AtWork:
    match row.activity:
        case Activity.IDLE:
            return AtWork(row.agent, left_s=max(0.0, row.blocked_until - now.boot))
        case Activity.WRAP_UP:
            return AtWork(row.agent, row.queue or "", left_s=max(0.0, (row.wrap_up_until or 0.0) - now.boot))
        case _:
            talked_s = 0.0 if row.joined_at is None else max(0.0, now.wall - row.joined_at)
            return AtWork(row.agent, row.queue or "", talked_s)


# -- writing --


def unestimated(connection: Connection, now: Moment, owner: str, most: int) -> list[str]:
    """This worker's callers who have just come and whose wait nobody has estimated; at most so many."""
    values = {
        "b_made_since": id_at(now.wall - NEW_S - 1.0),
        "b_state": "waiting",
        "b_owner": owner,
        "b_since": now.boot - NEW_S,
        "b_most": most,
    }
    return [row.call_id for row in connection.execute(_UNESTIMATED, values)]


def note_estimate(connection: Connection, now: Moment, plan: FloorPlan, call_id: str, found: Estimate) -> Changes:
    """Keep a caller's first estimate, by which later the error is known. Nothing if there is one already."""
    turn = Turn(connection, now, plan)
    _note_first(turn, turn.row(_IN_LINE_OF_CALL, b_call=call_id), found)
    return turn.finish()


def note_told(
    connection: Connection, now: Moment, plan: FloorPlan, call_id: str, found: Estimate
) -> tuple[float | None, Changes]:
    """What the caller is told, in seconds: never more than before. None if they do not wait any more."""
    turn = Turn(connection, now, plan)
    entry = turn.row(_IN_LINE_OF_CALL, b_call=call_id)
    if entry is None:
        return None, turn.finish()
    _note_first(turn, entry, found)
    told_s = to_tell(found.at_most_s, entry.told_s)
    turn.run(_TELL, b_entry=entry.entry_id, b_s=told_s)
    return told_s, turn.finish()


def _note_first(turn: Turn, entry: Row[Any] | None, found: Estimate) -> None:
    if entry is None or entry.estimate_s is not None:
        return
    turn.run(_NOTE, b_entry=entry.entry_id, b_s=found.at_most_s)
    waited_s = max(0.0, turn.now.wall - entry.entered_at)
    figures = {"waited_s": waited_s, "likely_s": found.likely_s, "at_most_s": found.at_most_s}
    turn.tell_entry("wait_estimated", entry, turn.now.wall, **figures)
