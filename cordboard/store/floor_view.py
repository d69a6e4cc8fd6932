"""The floor as people look at it: queues, agents, and the call each agent has. Read only; called by the reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from cordboard.acd.availability import shown_activity
from cordboard.acd.model import Activity, Agent, FloorPlan, Moment, OfferEnd, OfferState, PauseThen, Presence, Queue
from cordboard.acd.presence import RONA_REASON, pause_left_s, pause_rule
from cordboard.acd.wrap_up import can_extend
from cordboard.store.acd_values import AgentView, FloorSnapshot, OfferView, QueueView
from cordboard.store.state_conditions import IN_LINE
from cordboard.store.tables import agent_states, callers, devices, ledger, offers, queue_entries
from cordboard.store.today import Today, day_of
from cordboard.telephony.ports import DeviceState

_AGENTS = select(agent_states)
_DEVICES = select(devices.c.device, devices.c.state)
_CALLER = ("ani", "caller_name", "dnis", "number", "path", "lookup", "customer")
_OFFERS = (
    select(offers, queue_entries.c.entered_at, *(callers.c[name] for name in _CALLER))
    .join(agent_states, agent_states.c.offer_id == offers.c.offer_id)
    .join(queue_entries, queue_entries.c.entry_id == offers.c.entry_id)
    .outerjoin(callers, callers.c.call_id == offers.c.call_id)
)
_WAITING = (
    select(
        queue_entries.c.queue,
        queue_entries.c.state,
        func.count().label("waiting"),
        func.min(queue_entries.c.entered_at).label("since"),
    )
    .where(IN_LINE)
    .group_by(queue_entries.c.queue, queue_entries.c.state)
)
# Of offers that ended at these moments.
_MISSED = select(ledger.c.agent, ledger.c.at, ledger.c.data).where(
    ledger.c.at.in_(bindparam("b_moments", expanding=True)), ledger.c.kind == "offer_ended"
)


def floor_snapshot(
    connection: Connection, now: Moment, plan: FloorPlan, today: Today | None = None
) -> FloorSnapshot:
    """Everything the desk shows. today: the day's counts as far as known, to read on from there."""
    today = today or Today()
    today.read(connection, now.wall)
    agents = _agents(connection, now, plan)
    lines = connection.execute(_WAITING).all()
    queues = tuple(
        _queue(queue, [line for line in lines if line.queue == queue.name], agents, plan, today, now)
        for queue in plan.queues.values()
    )
    return FloorSnapshot(now.wall, queues, tuple(agents.values()))


# -- queues --


def _queue(
    queue: Queue,
    lines: Sequence[Row[Any]],
    agents: Mapping[str, AgentView],
    plan: FloorPlan,
    today: Today,
    now: Moment,
) -> QueueView:
    day = today.queue(queue.name)
    return QueueView(
        name=queue.name,
        waiting=sum(line.waiting for line in lines),
        longest_wait_s=_longest_s(lines, now),
        longest_unoffered_s=_longest_s([line for line in lines if line.state == "waiting"], now),
        offered_today=day.offered,
        answered_today=len(day.waits),
        abandoned_today=len(day.patience),
        service_level=day.service_level(queue),
        agents=_count(agents[agent.name] for agent in plan.agents_of(queue.name)),
        elsewhere_today=day.flowed_out,
    )


def _longest_s(lines: Sequence[Row[Any]], now: Moment) -> float:
    return max((max(0.0, now.wall - line.since) for line in lines), default=0.0)


def _count(agents: Iterable[AgentView]) -> dict[str, int]:
    return dict(Counter(_counted_as(agent) for agent in agents))


def _counted_as(agent: AgentView) -> str:
    """An agent who is not there counts as that, whatever their phone does; one who is there by what they do."""
    is_busy = agent.activity in (Activity.OFFERED, Activity.RINGING, Activity.TALKING, Activity.WRAP_UP)
    return agent.activity if is_busy or agent.presence is Presence.AVAILABLE else agent.presence


# -- agents --


def _agents(connection: Connection, now: Moment, plan: FloorPlan) -> dict[str, AgentView]:
    states = {row.agent: row for row in connection.execute(_AGENTS)}
    known = {row.device: row.state for row in connection.execute(_DEVICES)}
    held = {row.offer_id: row for row in connection.execute(_OFFERS)}
    missed = _missed(connection, states.values(), now)
    views = (
        _agent(agent, states.get(name), DeviceState(known.get(agent.device, "unknown")), held, plan, now)
        for name, agent in plan.agents.items()
    )
    return {view.name: replace(view, missed=missed.get(view.name)) for view in views}


def _missed(connection: Connection, states: Iterable[Row[Any]], now: Moment) -> dict[str, OfferEnd]:
    """How the offer failed for which an agent rests or is paused: the one whose end made them idle."""
    resting = {(state.agent, state.activity_since_at) for state in states if _rests(state, now)}
    moments = sorted({at for _, at in resting})
    rows = connection.execute(_MISSED, {"b_moments": moments}) if moments else ()
    return {row.agent: OfferEnd(row.data["end"]) for row in rows if (row.agent, row.at) in resting}


def _rests(state: Row[Any], now: Moment) -> bool:
    is_paused = (state.presence, state.presence_reason) == (Presence.PAUSED, RONA_REASON)
    return state.activity == Activity.IDLE and (is_paused or bool(state.blocked_until > now.boot))


def _agent(
    agent: Agent,
    state: Row[Any] | None,
    device: DeviceState,
    held: Mapping[str, Row[Any]],
    plan: FloorPlan,
    now: Moment,
) -> AgentView:
    if state is None:
        idle = shown_activity(Activity.IDLE, device)
        return AgentView(agent.name, agent.full_name, Presence.LOGGED_OUT, "", 0.0, idle, 0.0, None, device=device)
    offer = held.get(state.offer_id)
    return AgentView(
        name=agent.name,
        full_name=agent.full_name,
        presence=Presence(state.presence),
        presence_reason=state.presence_reason,
        presence_since_at=state.presence_since_at,
        activity=shown_activity(Activity(state.activity), device),
        activity_since_at=state.activity_since_at,
        offer=None if offer is None else _offer(offer, state, plan, now),
        rests_s=max(0.0, state.blocked_until - now.boot),
        device=device,
        forced_by=state.forced_by,
        pause_left_s=_pause_left_s(state, plan, now),
        pause_then=_pause_then(state, plan),
        **_counts(state, plan, now),
    )


def _counts(state: Row[Any], plan: FloorPlan, now: Moment) -> dict[str, Any]:
    """What an agent has done since midnight; counts of an earlier day are still there until the next call."""
    is_today = state.counted_since_at >= day_of(now.wall, plan.zone)[0]
    return {"calls_today": state.calls_today, "talk_s_today": state.talk_s_today} if is_today else {}


def _pause_left_s(state: Row[Any], plan: FloorPlan, now: Moment) -> float | None:
    """A pause begins when the call is over during which it was chosen."""
    if state.presence != Presence.PAUSED or state.activity != Activity.IDLE:
        return None
    if state.paused_until is not None:
        return float(state.paused_until - now.boot)
    lasts_s = now.wall - max(state.presence_since_at, state.activity_since_at)
    return None if state.forced_by else pause_left_s(plan, state.agent, state.presence_reason, lasts_s)


def _pause_then(state: Row[Any], plan: FloorPlan) -> PauseThen:
    if state.presence_reason == RONA_REASON:
        return "available" if state.paused_until is not None else "nothing"
    return pause_rule(plan, state.agent, state.presence_reason).then


def _offer(row: Row[Any], agent: Row[Any], plan: FloorPlan, now: Moment) -> OfferView:
    queue = plan.queue(row.queue)
    wrap_up_until = agent.wrap_up_until
    waited_until = now.wall if row.joined_at is None else row.joined_at
    return OfferView(
        offer_id=row.offer_id,
        call_id=row.call_id,
        queue=row.queue,
        state=OfferState(row.state),
        reason=row.reason,
        wait_s=max(0.0, waited_until - row.entered_at),
        made_at=row.made_at,
        ringing_at=row.ringing_at,
        answered_at=row.answered_at,
        joined_at=row.joined_at,
        talk_ended_at=row.talk_ended_at,
        wrap_up_left_s=None if wrap_up_until is None else max(0.0, wrap_up_until - now.boot),
        disposition=row.disposition,
        note=row.note,
        dispositions=queue.dispositions,
        ani=row.ani or "",
        caller_name=row.caller_name or "",
        dnis=row.dnis or "",
        number=row.number or "",
        path=tuple(row.path or ()),
        lookup=row.lookup or "pending",
        customer=row.customer or {},
        needs_disposition=queue.wrap_up_mode == "mandatory" and not row.disposition,
        ends_early=queue.wrap_up_early_exit,
        can_extend=agent.activity == Activity.WRAP_UP and can_extend(queue, agent.wrap_up_extended_s),
    )
