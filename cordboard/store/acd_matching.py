"""Callers and agents brought together, as a part of the transaction that freed the agent or brought the caller.

Reads what `acd.matching` needs and no more: the free agents; what the callers of their queues ask for, each kind
once; and of each kind that a free agent can give, as many heads as there are such agents. So callers nobody can
serve now cost nothing, however many they are. Has matching choose, and makes the offers. Called by `AcdStore` at
the end of a transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, func, select

from cordboard.acd.eligibility import ruling
from cordboard.acd.matching import Circumstances, entry_order, match
from cordboard.acd.model import Activity, Agent, AgentState, Presence
from cordboard.acd.needs_json import needs_from_json
from cordboard.store import acd_devices, queue_memory
from cordboard.store.acd_autofill import one_at_a_time
from cordboard.store.acd_contacts import as_they_are
from cordboard.store.acd_needs import CALL_COLUMNS, relax_due, waiting_call
from cordboard.store.acd_offer_making import WaitingEntry, make_offers
from cordboard.store.leases import observer_lease
from cordboard.store.state_conditions import OPEN_OFFER, READY, WAITING
from cordboard.store.tables import agent_states, leases, offers, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.ports import DeviceState

_STATE = ("agent", "idle_since_at", "blocked_until", "calls_today", "talk_s_today", "last_offered_at")
_RESTED = (
    select(
        *(agent_states.c[name] for name in _STATE),
        agent_states.c.counted_since_at,
        agent_states.c.last_call_ended_at,
    )
    .where(agent_states.c.blocked_until <= bindparam("b_boot"))
    .order_by(agent_states.c.idle_since_at)
)
_FREE = _RESTED.where(READY)
_TALKING = _RESTED.where(
    agent_states.c.presence == Presence.AVAILABLE.value, agent_states.c.activity == Activity.TALKING.value
)
_KINDS = (  # from the index alone
    select(queue_entries.c.queue, queue_entries.c.asks, func.count().label("waiting"))
    .where(WAITING)
    .group_by(queue_entries.c.queue, queue_entries.c.asks)
)
_KINDS_OF = _KINDS.where(queue_entries.c.queue.in_(bindparam("b_queues", expanding=True)))
_QUEUES_MAX = 200  # of more it is as quick to read all
_HEADS = (
    select(*CALL_COLUMNS, queue_entries.c.owner, queue_entries.c.fence, queue_entries.c.party_ref)
    .where(
        WAITING,
        queue_entries.c.queue == bindparam("b_queue"),
        queue_entries.c.asks == bindparam("b_asks"),
        queue_entries.c.lease_until > bindparam("b_boot"),
    )
    .order_by(queue_entries.c.rank.desc(), queue_entries.c.stands_at, queue_entries.c.call_id)
    .limit(bindparam("b_most"))
)
_AVAILABLE = select(agent_states.c.agent).where(agent_states.c.presence == Presence.AVAILABLE.value)
_SERVED_NOW = (
    select(offers.c.queue, func.count(offers.c.entry_id.distinct()).label("calls"))
    .where(OPEN_OFFER)
    .group_by(offers.c.queue)
)
_LEASE = select(leases.c.until).where(leases.c.name == bindparam("b_name"))


class _Kind(NamedTuple):
    """Callers of a queue who ask for the same. text: as the store has it; waiting: how many."""

    queue: str
    text: str
    waiting: int


def match_waiting(turn: Turn, needs_lease: str = "") -> bool:
    """Make the offers that can be made now, if this transaction may have made any possible.

    needs_lease: a lease without whose holder nobody is offered anything, "" for none; where calls come in on
    several switches, that of its own is needed for each. False if one of them has no holder now.
    """
    if not (turn.may_match or turn.touched):
        return True
    relax_due(turn)
    queues = None if turn.may_match else frozenset(turn.touched)
    turn.may_match = False
    turn.touched.clear()
    free = _free(turn)
    if free and needs_lease and len(turn.plan.switches) > 1:
        return _match_observed(turn, free, _kinds(turn, queues))
    if free and needs_lease and not _is_held(turn, needs_lease):
        return False
    if free:
        _match(turn, free, _kinds(turn, queues))
    return True


def _match_observed(turn: Turn, free: list[Row[Any]], kinds: list[_Kind]) -> bool:
    """Match the callers of those switches that somebody observes; whether that was all of them."""
    observed = {switch for switch in turn.plan.switches if _is_held(turn, observer_lease(switch))}
    heard = [kind for kind in kinds if needs_from_json(kind.text).switch in observed]
    _match(turn, free, heard)
    return len(heard) == len(kinds)


def _kinds(turn: Turn, queues: Collection[str] | None) -> list[_Kind]:
    """What callers ask for: in these queues, None for all. In the others nothing has changed, and whoever could be
    served there was.
    """
    if queues is None or len(queues) > _QUEUES_MAX:
        return [_Kind._make(row) for row in turn.rows(_KINDS)]
    return [_Kind._make(row) for row in turn.rows(_KINDS_OF, b_queues=sorted(queues))]


def _match(turn: Turn, free: list[Row[Any]], kinds: list[_Kind]) -> None:
    waiting: Counter[str] = Counter()
    for kind in kinds:
        waiting[kind.queue] += kind.waiting
    working = at_work(turn) if any(_asks_who_is_there(kind) for kind in kinds) else None
    room = _room(turn, waiting)
    lines = _lines(turn, _asked_of(turn, free, kinds, working, room))
    if lines:
        around = Circumstances(waiting, queue_memory.read(turn, lines), working, room, turn.random)
        states = [_state(turn, row) for row in free]
        _make_offers(turn, lines, as_they_are(turn, states) if turn.plan.has_room_beside else states, around)


def _asks_who_is_there(kind: _Kind) -> bool:
    needs = needs_from_json(kind.text)
    return bool(needs.agent or needs.refused)


def _free(turn: Turn) -> list[Row[Any]]:
    """Those who can be rung. One whose device cannot is left out here: on dead phones they would have every line of
    theirs read at every event. Where agents can have several things at a time, phones are not all that counts.
    """
    if turn.plan.has_room_beside:
        ready = [*turn.rows(_FREE, b_boot=turn.now.boot), *turn.rows(_TALKING, b_boot=turn.now.boot)]
        return [row for row in ready if row.agent in turn.plan.agents]
    ready = [row for row in turn.rows(_FREE, b_boot=turn.now.boot) if row.agent in turn.plan.agents]
    not_free = acd_devices.not_free(turn.connection) if ready else frozenset()
    return [row for row in ready if turn.plan.agents[row.agent].device not in not_free]


def at_work(turn: Turn) -> frozenset[str]:
    """Agents worth waiting for: available, whatever they do just now, and with a phone the switch can reach."""
    gone = acd_devices.out_of_reach(turn.connection)
    agents = (row.agent for row in turn.rows(_AVAILABLE))
    return frozenset(
        agent for agent in agents if agent in turn.plan.agents and turn.plan.agents[agent].device not in gone
    )


def _room(turn: Turn, queues: Collection[str]) -> dict[str, int]:
    """How many more talks may begin in those of these queues that have a limit."""
    limits = {name: turn.queue(name).at_most for name in queues if turn.queue(name).at_most}
    served = served_now(turn) if limits else {}
    room = {name: max(0, limit - served.get(name, 0)) for name, limit in limits.items()}
    return room | {name: min(most, room.get(name, most)) for name, most in one_at_a_time(turn, queues).items()}


def served_now(turn: Turn) -> dict[str, int]:
    """How many callers of each queue have an agent, or one who is rung for them."""
    return {row.queue: row.calls for row in turn.rows(_SERVED_NOW)}


# -- lines --


def _asked_of(
    turn: Turn,
    free: Iterable[Row[Any]],
    kinds: Collection[_Kind],
    working: frozenset[str] | None,
    room: Mapping[str, int],
) -> dict[_Kind, int]:
    """The kinds of callers that somebody free can serve, each with by how many of them."""
    by_queue: dict[str, list[Agent]] = {kind.queue: [] for kind in kinds}
    for row in free:
        for queue in turn.plan.agents[row.agent].queues:
            if queue in by_queue:
                by_queue[queue].append(turn.plan.agents[row.agent])
    asked: dict[_Kind, int] = {}
    for kind in kinds:
        if room.get(kind.queue, 1) > 0:
            rules = ruling(kind.queue, needs_from_json(kind.text), turn.plan, working)
            asked[kind] = sum(map(rules.allows, by_queue[kind.queue]))
    return {kind: count for kind, count in asked.items() if count}


def _lines(turn: Turn, asked: Mapping[_Kind, int]) -> dict[str, list[Row[Any]]]:
    """The heads of each queue, of each kind as many as can be served, in no order."""
    lines: dict[str, list[Row[Any]]] = {}
    for kind, most in asked.items():
        heads = turn.rows(_HEADS, b_queue=kind.queue, b_asks=kind.text, b_boot=turn.now.boot, b_most=most)
        if heads:
            lines.setdefault(kind.queue, []).extend(heads)
    return lines


def _state(turn: Turn, row: Row[Any]) -> AgentState:
    is_today = row.counted_since_at >= turn.day_began_at
    return AgentState(
        agent=row.agent,
        presence=Presence.AVAILABLE,
        activity=Activity.IDLE,
        idle_since_at=row.idle_since_at,
        blocked_until=row.blocked_until,
        device=DeviceState.IDLE,
        calls_today=row.calls_today if is_today else 0,
        talk_s_today=row.talk_s_today if is_today else 0.0,
        last_offered_at=row.last_offered_at,
        last_call_ended_at=row.last_call_ended_at,
    )


# -- offers --


def _make_offers(
    turn: Turn, lines: Mapping[str, list[Row[Any]]], free: list[AgentState], around: Circumstances
) -> None:
    calls = {
        queue: sorted(
            (waiting_call(row) for row in line), key=lambda call: entry_order(call, turn.queue(call.queue).ageing_s)
        )
        for queue, line in lines.items()
    }
    entries = {row.entry_id: _entry(row) for line in lines.values() for row in line}
    for found in match(calls, free, turn.plan, turn.now, around):
        make_offers(turn, entries[found.call.entry_id], found.agents, found.reason)
        queue_memory.keep(turn, found.call.queue, around.memories.get(found.call.queue), found.memory)


def _entry(row: Row[Any]) -> WaitingEntry:
    return WaitingEntry(row.entry_id, row.call_id, row.queue, row.owner, row.fence, row.party_ref)


def _is_held(turn: Turn, lease: str) -> bool:
    row = turn.row(_LEASE, b_name=lease)
    return row is not None and row.until > turn.now.boot
