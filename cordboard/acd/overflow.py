"""When a waiting caller is sent on, and where: the steps of a queue's `overflow`, in their order.

Pure. The store asks in a transaction, with how the caller stands then; the loader asks whether anybody could be
sent round in a circle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cordboard.acd.waiting_rules import OverflowStep


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands. position: from 1; estimated_s: None if nobody knows; waiting: callers in the queue;
    agents: those who are there for it.
    """

    waited_s: float
    position: int
    waiting: int
    agents: int
    estimated_s: float | None = None


def step_for(steps: Sequence[OverflowStep], standing: Standing) -> OverflowStep | None:
    """The first step whose conditions all hold; None while the caller stays."""
    return next((step for step in steps if _holds(step, standing)), None)


def conditions_of(step: OverflowStep) -> str:
    """The step's conditions in the words they are written with: "wait_s 120", "position 20 and ratio 3"."""
    names = ("wait_s", "position", "estimated_s", "ratio")
    given = ((name, getattr(step, name)) for name in names)
    return " and ".join(f"{name} {value:g}" for name, value in given if value is not None)


def next_wait_s(steps: Sequence[OverflowStep], waited_s: float) -> float:
    """After how much waiting in all the next step may come to hold by time alone; infinite if none does."""
    later = (step.wait_s for step in steps if step.wait_s is not None and step.wait_s > waited_s)
    return min(later, default=math.inf)


def is_watched(steps: Sequence[OverflowStep], looked_s: float = 0.0) -> bool:
    """Whether a step may come to hold by something else than time, so that one has to look.

    looked_s: after how much waiting one has looked last; a queue that took nobody in then may do so now.
    """
    return any(_depends_on_others(step) or (step.to and (step.wait_s or 0.0) <= looked_s) for step in steps)


def _depends_on_others(step: OverflowStep) -> bool:
    return (step.position, step.estimated_s, step.ratio) != (None, None, None)


def reached_from(steps: Mapping[str, Sequence[OverflowStep]], first: str) -> tuple[str, ...]:
    """Every queue to which callers of the first may be sent on, in the order found. steps: by queue."""
    found: dict[str, None] = {}
    open_ends = [first]
    while open_ends:
        onward = [step.to for step in steps.get(open_ends.pop(), ()) if step.to and step.to not in found]
        found.update(dict.fromkeys(onward))
        open_ends += onward
    return tuple(found)


def circle(steps: Mapping[str, Sequence[OverflowStep]], first: str) -> tuple[str, ...]:
    """The way from a queue back to itself by overflow, with both ends; () if there is none. steps: by queue."""
    ways: dict[str, tuple[str, ...]] = {first: (first,)}
    open_ends = [first]
    while open_ends:
        here = open_ends.pop()
        for step in steps.get(here, ()):
            if step.to == first:
                return (*ways[here], first)
            if step.to and step.to not in ways:
                ways[step.to] = (*ways[here], step.to)
                open_ends.append(step.to)
    return ()


def _holds(step: OverflowStep, standing: Standing) -> bool:
    ratio = standing.waiting / standing.agents if standing.agents else math.inf
    return (
        (step.wait_s is None or standing.waited_s >= step.wait_s)
        and (step.position is None or standing.position > step.position)
        and (step.estimated_s is None or (standing.estimated_s or 0.0) > step.estimated_s)
        and (step.ratio is None or ratio > step.ratio)
    )
