"""Whom to dial now, read from the store and claimed in the same transaction; and the ends nobody else notices.

Called once a second, and when something has changed, by the one process that dials. Who is chosen is
`acd.callbacks`'s; what an attempt does is `callback_attempts`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Row, bindparam, exists, or_, select

from cordboard.acd.callbacks import AtWork, Claim, available, is_due, rung_for, to_dial
from cordboard.acd.eligibility import may_have
from cordboard.acd.model import Activity, LeftBecause, Presence
from cordboard.acd.needs_json import needs_from_json
from cordboard.store import acd_devices, acd_leaving, acd_matching, callback_attempts, callback_closing
from cordboard.store.callback_attempts import Attempt
from cordboard.store.state_conditions import AWAY, OPEN_CALLBACK, WAITING
from cordboard.store.tables import agent_states, callbacks, offers, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.call_id import id_at

TALKS_READ = 200  # of a queue, the last ones: how long its calls take now
TALKS_OF_S = 7 * 86_400.0  # and none older than that
LINE_READ = 500  # of those who wait for the same agents, the first

_ORPHANS = select(queue_entries).where(  # a place may have had another promise before
    AWAY,
    queue_entries.c.kind == "callback",
    ~exists().where(callbacks.c.entry_id == queue_entries.c.entry_id, OPEN_CALLBACK),
)
_ANY_OPEN = select(or_(exists().where(OPEN_CALLBACK, callbacks.c.entry_id != ""), _ORPHANS.exists()))
_WITHOUT_PLACE = (
    select(callbacks.c.callback_id, callbacks.c.mode, queue_entries.c.left_because)
    .join(queue_entries, queue_entries.c.entry_id == callbacks.c.entry_id)
    .where(OPEN_CALLBACK, queue_entries.c.state == "left")
)
_EXPIRED = select(callbacks.c.callback_id).where(
    OPEN_CALLBACK, callbacks.c.leg_id == "", callbacks.c.expires_at <= bindparam("b_at")
)
_OVERDUE = (
    select(callbacks.c.callback_id, callbacks.c.leg_id, callbacks.c.dial_until, queue_entries)
    .join(queue_entries, queue_entries.c.entry_id == callbacks.c.entry_id)
    .where(OPEN_CALLBACK, callbacks.c.leg_id != "", callbacks.c.dial_until <= bindparam("b_boot"), AWAY)
)
_STANDING = ("entry_id", "queue", "rank", "stands_at", "asks", "state")
_PROMISED = (
    select(callbacks, *(queue_entries.c[name].label(f"entry_{name}") for name in _STANDING))
    .join(queue_entries, queue_entries.c.entry_id == callbacks.c.entry_id)
    .where(OPEN_CALLBACK, AWAY)
)
_ON_THE_PHONE = (
    select(*(queue_entries.c[name] for name in _STANDING))
    .where(WAITING, queue_entries.c.queue.in_(bindparam("b_queues", expanding=True)))
    .order_by(queue_entries.c.rank.desc(), queue_entries.c.stands_at)
    .limit(LINE_READ)
)
_AT_WORK = (
    select(agent_states, offers.c.queue, offers.c.joined_at)
    .join(offers, offers.c.offer_id == agent_states.c.offer_id, isouter=True)
    .where(
        agent_states.c.presence == Presence.AVAILABLE.value,
        agent_states.c.activity.in_(("idle", "talking", "wrap_up")),
    )
)
_TALKS = (
    select(offers.c.joined_at, offers.c.talk_ended_at, offers.c.wrap_up_ended_at)
    .where(
        offers.c.queue == bindparam("b_queue"),
        offers.c.talk_ended_at.is_not(None),
        offers.c.offer_id >= bindparam("b_since"),
    )
    .order_by(offers.c.talk_ended_at.desc())
    .limit(TALKS_READ)
)


def is_any_open(turn: Turn) -> bool:
    """Whether anybody waits to be dialled, or is being dialled; or a place is left of one who is not any more."""
    return bool(turn.connection.execute(_ANY_OPEN).scalar_one())


def tidy(turn: Turn) -> None:
    """End what has ended by other things: promises without a place, places without a promise, what has expired."""
    for row in turn.rows(_WITHOUT_PLACE):
        if row.left_because == LeftBecause.SERVED:
            callback_attempts.talked(turn, row.callback_id, row.mode)
        else:
            callback_closing.close(turn, row.callback_id, "failed", row.left_because)
    for row in turn.rows(_EXPIRED, b_at=turn.now.wall):
        callback_closing.close(turn, row.callback_id, "expired", "")
    for entry in turn.rows(_ORPHANS):
        acd_leaving.give_up(turn, entry, LeftBecause.CALLBACK, turn.now.wall)


def overdue(turn: Turn) -> dict[str, str]:
    """Attempts that should have come to something: the call of each, by the id of its leg."""
    return {row.leg_id: row.call_id for row in turn.rows(_OVERDUE, b_boot=turn.now.boot)}


def settle_overdue(turn: Turn, live_legs: Collection[str]) -> None:
    """What came of them, now that the switch has said which legs live."""
    for row in turn.rows(_OVERDUE, b_boot=turn.now.boot):
        if row.leg_id in live_legs:
            callback_attempts.extend(turn, row.callback_id)
        elif row.dial_until == 0.0:  # of an earlier boot of the machine
            callback_attempts.lost(turn, row, at_once=True)
        else:
            callback_attempts.ended(turn, row.call_id, "unknown")


def claim(turn: Turn) -> list[Attempt]:
    """The attempts to be begun now, each claimed."""
    promised = turn.rows(_PROMISED)
    due = {row.entry_id: row for row in promised if _is_due(turn, row)}
    if not due:
        return []
    agents = _agents(turn, {row.queue for row in due.values()})
    queues = sorted({queue for name in agents for queue in turn.plan.agents[name].queues})
    at_work = acd_matching.at_work(turn)
    claims = [_claim(row, row.entry_id in due, at_work) for row in promised if row.entry_id in due or row.leg_id]
    claims += [_waiting(row) for row in turn.rows(_ON_THE_PHONE, b_queues=queues)]
    agent_first = {name for name, queue in turn.plan.queues.items() if queue.callback and _rings_agent(queue)}
    chosen = to_dial(
        claims,
        available(_at_work(turn, agents), turn.now.boot, _ring_s(turn, due.values())),
        lambda agent, one: may_have(turn.plan.agents[agent], one.queue, one.needs),
        needs_free=agent_first,
    )
    begun = [_begin(turn, due[entry_id]) for entry_id in chosen]
    return [attempt for attempt in begun if attempt is not None]


def _rings_agent(queue: Any) -> bool:
    return bool(queue.callback.dial == "agent_first")


def _begin(turn: Turn, row: Row[Any]) -> Attempt | None:
    policy = callback_attempts.policy_of(turn, row)
    return None if policy is None else callback_attempts.begin(turn, row, policy)


def _is_due(turn: Turn, row: Row[Any]) -> bool:
    policy = callback_attempts.policy_of(turn, row)
    return is_due(policy, is_dialled=row.leg_id != "", due_at=row.due_at, wall=turn.now.wall)


def _claim(row: Row[Any], is_due: bool, at_work: Collection[str]) -> Claim:
    """A promise: to be dialled, or being dialled."""
    agent = rung_for(row.reason, row.prefers_agent, at_work)
    standing = "due" if is_due else "dialled"
    needs = needs_from_json(row.entry_asks)
    return Claim(row.entry_id, row.queue, standing, row.entry_rank, row.entry_stands_at, needs, agent)  # type: ignore[arg-type]


def _waiting(row: Row[Any]) -> Claim:
    return Claim(row.entry_id, row.queue, "waits", row.rank, row.stands_at, needs_from_json(row.asks))


def _ring_s(turn: Turn, due: Iterable[Row[Any]]) -> float:
    """The shortest ringing of any: by then an agent must be free."""
    policies = (callback_attempts.policy_of(turn, row) for row in due)
    return min(policy.ring_s for policy in policies if policy is not None)


def _agents(turn: Turn, queues: Collection[str]) -> Mapping[str, Row[Any]]:
    """Those at work who serve one of these queues and whose phone is there."""
    not_free = acd_devices.not_free(turn.connection)
    serving = {agent.name: agent for agent in turn.plan.agents.values() if set(queues) & set(agent.queues)}
    return {
        row.agent: row
        for row in turn.rows(_AT_WORK)
        if row.agent in serving and (row.activity != "idle" or serving[row.agent].device not in not_free)
    }


def _at_work(turn: Turn, agents: Mapping[str, Row[Any]]) -> list[AtWork]:
    handled: dict[str, list[float]] = {}
    return [_one_at_work(turn, row, handled) for row in agents.values()]


def _one_at_work(turn: Turn, row: Row[Any], handled: dict[str, list[float]]) -> AtWork:
    """handled: by queue, as far as it was looked up already."""
    activity = Activity(row.activity)
    if activity is not Activity.TALKING or row.queue is None or row.joined_at is None:
        return AtWork(row.agent, activity, row.blocked_until, row.wrap_up_until)
    if row.queue not in handled:
        handled[row.queue] = _handled_lately(turn, row.queue)
    talking_s = turn.now.wall - row.joined_at
    return AtWork(row.agent, activity, talking_s=talking_s, handled_s=handled[row.queue])


def _handled_lately(turn: Turn, queue: str) -> list[float]:
    talks = turn.rows(_TALKS, b_queue=queue, b_since=id_at(turn.now.wall - TALKS_OF_S))
    return [_handled_s(talk) for talk in talks]


def _handled_s(row: Row[Any]) -> float:
    return float((row.wrap_up_ended_at or row.talk_ended_at) - row.joined_at)
