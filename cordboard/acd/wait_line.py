"""The line a caller stands in, for the wait estimate: who goes first, who is at work, and what they are at. Pure.

Callers of other queues count as far as the agents who may serve this caller serve them too: across queues, who has
waited longest goes first, as in `matching`. Built from the store's rows and by simulated days alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cordboard.acd.eligibility import may_have
from cordboard.acd.matching import entry_order
from cordboard.acd.model import FloorPlan, Moment, Needs, WaitingCall
from cordboard.acd.relaxation import asked_now, needs_after, next_change_s, waited_s
from cordboard.acd.wait_estimate import Kind, Line, Server
from cordboard.acd.wait_history import WaitHistory

_KindName = tuple[str, tuple[tuple[str, int], ...]]  # a queue, and the skills asked for


@dataclass(frozen=True, slots=True)
class AtWork:
    """An agent who is available, or will be after the call in hand. queue: of that call, "" for none; talked_s:
    since they were joined, 0.0 while the phone rings; left_s: of a rest or a wrap-up, after which they are free.
    """

    agent: str
    queue: str = ""
    talked_s: float = 0.0
    left_s: float = 0.0


def wait_line(
    call: WaitingCall,
    waiting: Iterable[WaitingCall],
    at_work: Sequence[AtWork],
    plan: FloorPlan,
    history: WaitHistory,
    now: Moment,
) -> Line:
    """waiting: everybody who waits without an agent being rung for them; the caller may be among them.

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
    asked = {each.call_id: (each.queue, asked_now(each, now)) for each in ahead}
    kinds: dict[_KindName, int] = {(call.queue, needs.require): 0}
    for queue, other in asked.values():
        kinds.setdefault((queue, other.require), len(kinds))
    return Line(
        kinds=[_kind(queue, call, history, now) for queue, _ in kinds],
        servers=[_server(one, kinds, plan, history) for one in present],
        ahead=[kinds[queue, other.require] for queue, other in asked.values()],
        own=0,
        not_before_s=in_s,
    )


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
        number for (queue, require), number in kinds.items() if may_have(agent, queue, Needs(require))
    )
    handling = history.handling(one.queue) if one.queue and one.left_s <= 0 else None
    return Server(may_serve, one.left_s, handling, one.talked_s)
