"""How a queue of a simulated floor stands: who is in line, who is there for it. What `acd.joining`, `acd.reviewing`
and `acd.overflow` are asked with, and what the store reads in `acd_standing` and `acd_review`.
"""

from __future__ import annotations

from cordboard.acd import joining, overflow, reviewing
from cordboard.acd.eligibility import may_have
from cordboard.acd.joining import Refusal
from cordboard.acd.matching import entry_order
from cordboard.acd.model import AgentState, LeftBecause, Moment, Needs
from cordboard.acd.relaxation import asked_now, waited_s
from cordboard.acd.waiting_rules import OverflowStep
from cordboard.lab.sim.books import Books
from cordboard.lab.sim.floor_state import Place


def why_refused(books: Books, name: str, needs: Needs, now: Moment) -> Refusal | None:
    """Why somebody who asks for this cannot join a queue; None if they can."""
    queue = books.queue(name)
    if not (queue.hours or queue.max_waiting or queue.join_when_empty):
        return None
    waiting = len(_on_the_phone(books, name)) if queue.max_waiting else 0
    agents = _agents(books, name) if queue.join_when_empty else []
    return joining.why_refused(queue, waiting, agents, now.wall, _ruled_out(books, name, needs))


def why_out(books: Books, place: Place, now: Moment) -> LeftBecause | None:
    """Why somebody who waits has to leave; None while they may stay."""
    queue = books.queue(place.queue)

    def is_empty() -> bool:
        ruled_out = _ruled_out(books, queue.name, asked_now(place.waiting, now))
        return joining.is_empty(_agents(books, queue.name), queue.leave_when_empty, ruled_out)

    return reviewing.why_out(queue, now.wall, is_empty)


def overflow_step(books: Books, place: Place, now: Moment) -> OverflowStep | None:
    """The step that holds for a waiting caller now; None if they stay. Nobody is called back to be sent on."""
    steps = books.queue(place.queue).overflow
    if not steps or place.kind == "callback":
        return None
    needs = place.needs_elsewhere
    open_steps = [step for step in steps if not step.to or why_refused(books, step.to, needs, now) is None]
    return overflow.step_for(open_steps, _standing(books, place, now))


def _standing(books: Books, place: Place, now: Moment) -> overflow.Standing:
    """Only what the steps ask for is reckoned: where nothing but the wait counts, the crowd does not matter."""
    queue = books.queue(place.queue)
    waited = waited_s(place.waiting, now)
    if not overflow.is_watched(queue.overflow):
        return overflow.Standing(waited, 1, 1, 1)
    mine = entry_order(place.waiting, queue.ageing_s)
    line = _in_line(books, queue.name)
    return overflow.Standing(
        waited_s=waited,
        position=1 + sum(entry_order(other.waiting, queue.ageing_s) < mine for other in line),
        waiting=sum(other.state != "away" for other in line),
        agents=reviewing.at_work(_agents(books, queue.name)),
    )


def _in_line(books: Books, queue: str) -> list[Place]:
    return [place for place in books.places.values() if place.queue == queue and place.is_in_line]


def _on_the_phone(books: Books, queue: str) -> list[Place]:
    return [place for place in _in_line(books, queue) if place.state != "away"]


def _agents(books: Books, queue: str) -> list[AgentState]:
    return [books.agents[agent.name].as_state() for agent in books.plan.agents_of(queue)]


def _ruled_out(books: Books, queue: str, needs: Needs) -> frozenset[str]:
    if not (needs.require or needs.exclude):
        return frozenset()
    agents = books.plan.agents_of(queue)
    return frozenset(agent.name for agent in agents if not may_have(agent, queue, needs))
