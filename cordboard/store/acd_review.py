"""What becomes of those who wait, by the rules of their queues: they stay, are sent on to another queue, or out.

Asked by whoever holds the calls, in one transaction: at the second a rule comes due, and now and then where it
depends on others. Only who waits and is offered to nobody is looked at: an agent goes before any rule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, select

from cordboard.acd import joining
from cordboard.acd.model import LeftBecause, Queue
from cordboard.acd.overflow import Standing, is_watched, step_for
from cordboard.acd.waiting_rules import OverflowStep
from cordboard.store import acd_entries
from cordboard.store.acd_entries import Place
from cordboard.store.acd_standing import QueueStanding
from cordboard.store.state_conditions import WAITING
from cordboard.store.tables import queue_entries
from cordboard.store.turn import Turn

_OF_OWNER = select(queue_entries).where(
    WAITING,
    queue_entries.c.owner == bindparam("b_owner"),
    queue_entries.c.call_id.in_(bindparam("b_calls", expanding=True)),
)

StandingOf = Callable[[str], QueueStanding]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What was decided about a call. left: why it has left; place: the one it has in another queue now.

    position: the place in line, where its queue tells of each change; 0 elsewhere.
    """

    call_id: str
    left: LeftBecause | None = None
    place: Place | None = None
    position: int = 0


def has_rules(queue: Queue) -> bool:
    """Whether there is anything that could send out or on who waits in the queue."""
    return bool(queue.leave_when_empty or queue.overflow or queue.at_closing == "send_out")


def review(turn: Turn, owner: str, call_ids: Collection[str]) -> list[Reviewed]:
    """Apply the rules to these calls of the owner's. Those for whom there is nothing to tell are left out."""
    if not call_ids:
        return []
    known: dict[str, QueueStanding] = {}

    def standing_of(queue: str) -> QueueStanding:
        return known.setdefault(queue, QueueStanding(turn, queue))

    waiting = turn.rows(_OF_OWNER, b_owner=owner, b_calls=list(call_ids))
    found = (_review(turn, entry, standing_of) for entry in waiting)
    return [one for one in found if one is not None]


def _review(turn: Turn, entry: Row[Any], standing_of: StandingOf) -> Reviewed | None:
    standing = standing_of(entry.queue)
    because = _why_out(turn, entry, standing)
    if because is not None:
        return _send_out(turn, entry, because)
    step = _step(turn, entry, standing, standing_of)
    if step is None:
        position = standing.places.get(entry.call_id, 0) if standing.queue.announce.on_change else 0
        return Reviewed(entry.call_id, position=position) if position else None
    if not step.to:
        return _send_out(turn, entry, LeftBecause.OVERFLOW)
    return Reviewed(entry.call_id, place=acd_entries.move_on(turn, entry, step.to))


def _why_out(turn: Turn, entry: Row[Any], standing: QueueStanding) -> LeftBecause | None:
    if joining.sends_out(standing.queue, turn.now.wall):
        return LeftBecause.CLOSED
    return LeftBecause.EMPTY if standing.is_empty_for(entry.asks) else None


def _send_out(turn: Turn, entry: Row[Any], because: LeftBecause) -> Reviewed:
    acd_entries.leave(turn, entry.call_id, because, turn.now.wall, entry_id=entry.entry_id)
    return Reviewed(entry.call_id, because)


def _step(turn: Turn, entry: Row[Any], standing: QueueStanding, standing_of: StandingOf) -> OverflowStep | None:
    """The first step that holds, of those that lead to a queue which takes callers in."""
    steps = standing.queue.overflow
    if not steps:
        return None
    is_crowd = is_watched(steps)
    how = Standing(
        waited_s=turn.now.boot - entry.entered_boot,
        position=standing.places.get(entry.call_id, 1) if is_crowd else 1,
        waiting=standing.waiting if is_crowd else 1,
        agents=standing.at_work if is_crowd else 1,
        estimated_s=entry.estimate_s,
    )
    return step_for([step for step in steps if _takes_in(entry, step, standing_of)], how)


def _takes_in(entry: Row[Any], step: OverflowStep, standing_of: StandingOf) -> bool:
    return not step.to or standing_of(step.to).why_refused(acd_entries.needs_of(entry)) is None
