"""What becomes of those who wait, by the rules of their queues: they stay, are sent on to another queue, or out.

Asked by whoever holds the calls, in one transaction: at the second a rule comes due, and now and then where it
depends on others. Only who waits and is offered to nobody is looked at: an agent goes before any rule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import filterfalse
from typing import Any

from sqlalchemy import Row, bindparam, select

from cordboard.acd import reviewing
from cordboard.acd.model import LeftBecause
from cordboard.acd.overflow import Standing, conditions_of, is_watched, step_for
from cordboard.acd.waiting_rules import OverflowStep
from cordboard.store import acd_entering, acd_entries, acd_leaving
from cordboard.store.acd_entering import Place
from cordboard.store.acd_standing import QueueStanding
from cordboard.store.acd_values import HeldPlace
from cordboard.store.state_conditions import WAITING
from cordboard.store.tables import queue_entries
from cordboard.store.turn import Turn

_OF_OWNER = (
    select(queue_entries)
    .where(
        WAITING,
        queue_entries.c.owner == bindparam("b_owner"),
        queue_entries.c.call_id.in_(bindparam("b_calls", expanding=True)),
    )
    .order_by(queue_entries.c.rank.desc(), queue_entries.c.stands_at, queue_entries.c.call_id)
)
_OF_CALLS = (
    select(queue_entries.c.call_id, queue_entries.c.state, queue_entries.c.left_because)
    .where(queue_entries.c.call_id.in_(bindparam("b_calls", expanding=True)))
    .order_by(queue_entries.c.entry_id)
)
_BY_RULES = (LeftBecause.CLOSED, LeftBecause.EMPTY, LeftBecause.OVERFLOW)

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


def review(turn: Turn, owner: str, call_ids: Collection[str]) -> list[Reviewed]:
    """Apply the rules to these calls of the owner's. Those for whom there is nothing to tell are left out. Who was
    sent out before is told so again: the owner asks about them, so it has not heard of it.
    """
    if not call_ids:
        return []
    known: dict[str, QueueStanding] = {}

    def standing_of(queue: str) -> QueueStanding:
        return known.setdefault(queue, QueueStanding(turn, queue))

    waiting = _one_by_one(turn, turn.rows(_OF_OWNER, b_owner=owner, b_calls=list(call_ids)))
    others = set(call_ids).difference(entry.call_id for entry in waiting)
    found = (_review(turn, entry, standing_of) for entry in waiting)
    return [*_sent_out_before(turn, others), *(one for one in found if one is not None)]


def _sent_out_before(turn: Turn, call_ids: Collection[str]) -> list[Reviewed]:
    """Those of these calls whose last place was ended by the rules."""
    rows = turn.rows(_OF_CALLS, b_calls=sorted(call_ids)) if call_ids else []
    has_place = {row.call_id for row in rows if row.state != "left"}
    last = {row.call_id: row.left_because for row in rows if row.call_id not in has_place}
    return [Reviewed(call_id, LeftBecause(why)) for call_id, why in last.items() if why in _BY_RULES]


def _one_by_one(turn: Turn, line: list[Row[Any]]) -> list[Row[Any]]:
    """Who stands first is looked at first. Where the crowd decides, who stands last: with them gone the others may
    stay.
    """

    def is_in_crowd(entry: Row[Any]) -> bool:
        return is_watched(turn.queue(entry.queue).overflow)

    return [*filterfalse(is_in_crowd, line), *filter(is_in_crowd, reversed(line))]


def _review(turn: Turn, entry: Row[Any], standing_of: StandingOf) -> Reviewed | None:
    standing = standing_of(entry.queue)
    because = _why_out(turn, entry, standing)
    if because is not None:
        return _send_out(turn, entry, because, standing)
    step = _step(turn, entry, standing, standing_of)
    if step is None:
        position = standing.places.get(entry.call_id, 0) if standing.queue.announce.on_change else 0
        return Reviewed(entry.call_id, position=position) if position else None
    if not step.to:
        return _send_out(turn, entry, LeftBecause.OVERFLOW, standing, conditions_of(step))
    standing.count(-1)
    standing_of(step.to).count(+1)
    return Reviewed(entry.call_id, place=acd_entering.move_on(turn, entry, step.to, conditions_of(step)))


def _why_out(turn: Turn, entry: Row[Any], standing: QueueStanding) -> LeftBecause | None:
    return reviewing.why_out(standing.queue, turn.now.wall, lambda: standing.is_empty_for(entry.asks))


def _send_out(
    turn: Turn, entry: Row[Any], because: LeftBecause, standing: QueueStanding, rule: str = ""
) -> Reviewed:
    standing.count(-1)
    acd_leaving.leave(turn, entry.call_id, because, turn.now.wall, held=HeldPlace(entry.entry_id), rule=rule)
    return Reviewed(entry.call_id, because)


def _step(turn: Turn, entry: Row[Any], standing: QueueStanding, standing_of: StandingOf) -> OverflowStep | None:
    """The first step that holds, of those that lead to a queue which takes callers in. None for who is called
    back: nobody is rung up to be sent elsewhere for a time in which they did not wait.
    """
    steps = standing.queue.overflow
    if not steps or entry.kind == "callback":
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
