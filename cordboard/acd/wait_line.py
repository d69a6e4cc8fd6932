"""The line a caller stands in, for the wait estimate: who goes first, who is at work, and what they are at. Pure.

Callers of other queues count as far as the agents who may serve this caller serve them too: across queues, who has
waited longest goes first, as in `matching`. Built from the store's rows and by simulated days alike.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cordboard.acd.absences import Absence
from cordboard.acd.eligibility import may_have
from cordboard.acd.matching import entry_order
from cordboard.acd.model import FloorPlan, Moment, Needs, WaitingCall
from cordboard.acd.relaxation import asked_now, needs_after, next_change_s, waited_s
from cordboard.acd.wait_estimate import Away, Kind, Line, Server
from cordboard.acd.wait_history import WaitHistory

_KindName = tuple[str, tuple[tuple[str, int], ...], str]  # a queue, the skills asked for, the caller's switch


@dataclass(frozen=True, slots=True)
class AtWork:
    """An agent who is available, or will be after the call in hand. queue: of that call, "" for none; talked_s:
    since they were joined, 0.0 while the phone rings; left_s: of a rest or a wrap-up, after which they are free.
    """

    agent: str
    queue: str = ""
    talked_s: float = 0.0
    left_s: float = 0.0


@dataclass(frozen=True, slots=True)
class AwayPlace:
    """A place in line whose caller is away. kind: of the place, as in `place_keeping`; left_s: until it is given
    up; due_in_s: until they are called back.
    """

    call: WaitingCall
    kind: str
    left_s: float = math.inf
    due_in_s: float = 0.0


def wait_line(
    call: WaitingCall,
    waiting: Iterable[WaitingCall],
    at_work: Sequence[AtWork],
    plan: FloorPlan,
    history: WaitHistory,
    now: Moment,
    away: Iterable[AwayPlace] = (),
) -> Line:
    """waiting: everybody who waits without an agent being rung for them; the caller may be among them. away: the
    places of those who are not there.

    What a caller will ask for less, later, counts only where nobody may serve them before.
    """
    present = [one for one in at_work if one.agent in plan.agents]
    needs, in_s = _servable(call, present, plan, now)
    beside = {
        queue
        for one in present
        if may_have(plan.agents[one.agent], call.queue, needs)
        for queue in plan.agents[one.agent].queues
    }
    ageing_s = plan.queues[call.queue].ageing_s if call.queue in plan.queues else 0.0
    ahead = sorted(
        (each for each in waiting if each.queue in beside and _goes_first(each, call, ageing_s)), key=_order
    )
    gone = [each for each in away if each.call.queue in beside and _goes_first(each.call, call, ageing_s)]
    asked = {each.call_id: (each.queue, asked_now(each, now)) for each in ahead}
    asked_by_gone = [(each.call.queue, asked_now(each.call, now)) for each in gone]
    kinds: dict[_KindName, int] = {_kind_name(call.queue, needs): 0}
    for queue, other in (*asked.values(), *asked_by_gone):
        kinds.setdefault(_kind_name(queue, other), len(kinds))
    return Line(
        kinds=[_kind(queue, call, history, now) for queue, _, _ in kinds],
        servers=[_server(one, kinds, plan, history) for one in present],
        ahead=[kinds[_kind_name(queue, other)] for queue, other in asked.values()],
        own=0,
        not_before_s=in_s,
        away=[
            Away(kinds[_kind_name(each.call.queue, other)], _behind(each, ahead), _absence(each, history, now))
            for each, (_, other) in zip(gone, asked_by_gone, strict=True)
        ],
    )


def _kind_name(queue: str, needs: Needs) -> _KindName:
    return queue, needs.require, needs.switch


def _behind(away: AwayPlace, ahead: Sequence[WaitingCall]) -> int:
    """How many of those ahead stand before them."""
    return bisect_left(ahead, _order(away.call), key=_order)


def _absence(away: AwayPlace, history: WaitHistory, now: Moment) -> Absence:
    call = away.call
    return history.absence(call.queue, call.entry_id, away.kind, away.left_s, away.due_in_s, now.wall)


def _servable(call: WaitingCall, present: Sequence[AtWork], plan: FloorPlan, now: Moment) -> tuple[Needs, float]:
    """What the caller asks for now; or, if nobody at work has it, the first that somebody has, and in how long."""
    waited = after_s = waited_s(call, now)
    needs = asked_now(call, now)
    while not any(may_have(plan.agents[one.agent], call.queue, needs) for one in present):
        later_s = next_change_s(call.needs, after_s)
        if later_s is None:
            return asked_now(call, now), 0.0
        after_s, needs = later_s, needs_after(call.needs, later_s)
    return needs, after_s - waited


def _goes_first(other: WaitingCall, call: WaitingCall, ageing_s: float) -> bool:
    if other.queue == call.queue:
        return entry_order(other, ageing_s) < entry_order(call, ageing_s)
    return other.entered_at < call.entered_at


def _order(call: WaitingCall) -> tuple[float, int, str]:
    return call.entered_at, -call.priority, call.call_id


def _kind(queue: str, call: WaitingCall, history: WaitHistory, now: Moment) -> Kind:
    overtaken_per_s = history.overtaken_per_s(queue, call.priority, now.wall) if queue == call.queue else 0.0
    return Kind(history.handling(queue), history.gives_up_per_s(queue), overtaken_per_s)


def _server(one: AtWork, kinds: dict[_KindName, int], plan: FloorPlan, history: WaitHistory) -> Server:
    agent = plan.agents[one.agent]
    may_serve = frozenset(
        number
        for (queue, require, switch), number in kinds.items()
        if may_have(agent, queue, Needs(require, switch=switch))
    )
    handling = history.handling(one.queue) if one.queue and one.left_s <= 0 else None
    return Server(may_serve, one.left_s, handling, one.talked_s)
