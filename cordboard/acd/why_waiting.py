"""Why nobody takes a waiting call now, in words an admin understands. Pure; for `cordboard queue why`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cordboard.acd.eligibility import kept_for, kept_from, may_have
from cordboard.acd.model import FloorPlan, Moment, Needs, WaitingCall
from cordboard.acd.needs_words import in_words, levels, relaxed, seconds
from cordboard.acd.relaxation import asked_now, needs_after, next_change_s, waited_s
from cordboard.telephony.reach import switch_of

_NAMED = 8  # agents that are called by name; of more only the number is told


@dataclass(frozen=True, slots=True)
class Around:
    """doing: what each agent does, as the floor shows it; at_work: those calls are kept for; talks: the queue's."""

    doing: Mapping[str, str]
    at_work: frozenset[str]
    talks: int


def why_waiting(call: WaitingCall, plan: FloorPlan, around: Around, now: Moment) -> list[str]:
    """What stands between the call and an agent: limits of the queue, and what the call asks for. Nothing where it
    asks for nothing, and any agent would do.
    """
    needs = asked_now(call, now)
    return [
        *_limit(call, plan, around),
        *_kept(call, needs, plan, around),
        *_kept_from(call, needs, plan, around),
        *_skills(call, needs, plan, around, now),
        *_out_of_reach(call, needs, plan),
    ]


def _limit(call: WaitingCall, plan: FloorPlan, around: Around) -> Iterator[str]:
    queue = plan.queues.get(call.queue)
    if queue is not None and 0 < queue.at_most <= around.talks:
        yield f"{call.queue} has {around.talks} calls with an agent, and may have {queue.at_most}"


def _kept(call: WaitingCall, needs: Needs, plan: FloorPlan, around: Around) -> Iterator[str]:
    agent = kept_for(call.queue, needs, plan, around.at_work)
    if agent:
        doing = around.doing.get(agent, "not there").replace("_", " ")
        yield f"it is kept for {agent} ({doing}) until {seconds(needs.agent_s)}"


def _kept_from(call: WaitingCall, needs: Needs, plan: FloorPlan, around: Around) -> Iterator[str]:
    kept_away = kept_from(call.queue, needs, plan, around.at_work)
    yield from (f"it is not for {agent}" for agent in needs.exclude)
    for agent, until_s in needs.refused:
        if agent in kept_away:
            yield f"{agent} has not taken it, and comes after others until {seconds(round(until_s, 1))}"


def _skills(call: WaitingCall, needs: Needs, plan: FloorPlan, around: Around, now: Moment) -> Iterator[str]:
    if needs.require:
        yield f"it asks for {levels(needs.require)}{_next(call, now)}"
        yield _who_could(call, needs, plan, around)
    yield from relaxed(call.needs, needs)


def _out_of_reach(call: WaitingCall, needs: Needs, plan: FloorPlan) -> Iterator[str]:
    lost = [agent for agent in plan.agents_of(call.queue) if not agent.rung_from(needs.switch)]
    for agent in lost[:_NAMED]:
        yield f"{agent.name}'s phone is on {switch_of(agent.device)}, which this call cannot reach"
    if len(lost) > _NAMED:
        yield f"nor can it reach {len(lost) - _NAMED} more"


def _next(call: WaitingCall, now: Moment) -> str:
    next_s = next_change_s(call.needs, waited_s(call, now))
    return "" if next_s is None else f", from {seconds(next_s)} on for {in_words(needs_after(call.needs, next_s))}"


def _who_could(call: WaitingCall, needs: Needs, plan: FloorPlan, around: Around) -> str:
    members = plan.agents_of(call.queue)
    able = [agent.name for agent in members if may_have(agent, call.queue, needs)]
    if not able:
        return f"none of its {len(members)} agents has that"
    names = ", ".join(f"{name} {around.doing.get(name, 'not there').replace('_', ' ')}" for name in able[:_NAMED])
    more = f", and {len(able) - _NAMED} more" if len(able) > _NAMED else ""
    return f"{len(able)} of its {len(members)} agents can take it: {names}{more}"
