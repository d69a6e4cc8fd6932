"""One queue as people at the Asterisk command line expect to see it: the layout of `queue show`; and as JSON.

Used by `cordboard queue show`. Text only. The first line's `SL` and `SL2` are computed as app_queue computes them;
our own service level follows with its name. Averages come with their p90.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cordboard.acd.kpis import Kpis, Spread, kpis
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.matching import entry_order
from cordboard.acd.model import FloorPlan, Presence, Queue, WaitingCall
from cordboard.store.acd_values import AgentView, FloorSnapshot
from cordboard.store.kpi_reads import QUEUE_KINDS

KINDS = (*QUEUE_KINDS, "came_back")  # rows that are needed for this

# What an agent does, in the words of `queue show` where it has one.
_ACTIVITIES = {
    "idle": "Not in use",
    "offered": "Ringing",
    "ringing": "Ringing",
    "talking": "In use",
    "wrap_up": "Wrap-up",
    "busy_elsewhere": "In use elsewhere",
    "unreachable": "Unavailable",
}

_AWAY = {"call": "stepped out", "callback": "to be called back", "cut_off": "cut off", "hung_up": "gone"}


@dataclass(frozen=True, slots=True)
class Member:
    """An agent of a queue. taken: how many of its calls today; last_at: when the last of them ended."""

    view: AgentView
    device: str
    taken: int
    last_at: float | None


@dataclass(frozen=True, slots=True)
class QueueNow:
    """A queue at one moment (`at`, seconds since 1970). waiting: in their order; offered_to: agents by call id.

    away: why nobody is on the phone in a place that is kept, by entry id.
    """

    queue: Queue
    at: float
    kpis: Kpis
    members: tuple[Member, ...]
    waiting: tuple[WaitingCall, ...]
    offered_to: Mapping[str, str]
    away: Mapping[str, str]


def queue_now(
    name: str, plan: FloorPlan, snapshot: FloorSnapshot, rows: Sequence[LedgerRow], since: float
) -> QueueNow:
    """A queue from what the store says. rows: at least of the last day; since: when the figures' day began."""
    queue = plan.queues[name]
    own = [row for row in rows if row.queue == name]
    views = [view for agent in plan.agents_of(name) if (view := snapshot.agent(agent.name))]
    return QueueNow(
        queue=queue,
        at=snapshot.at,
        kpis=kpis((row for row in own if row.at >= since), queue),
        members=tuple(_member(view, plan.agents[view.name].device, own, since) for view in views),
        waiting=tuple(sorted(_waiting(own), key=entry_order)),
        offered_to={view.offer.call_id: view.name for view in views if view.offer},
        away=_away(own),
    )


def queue_report(now: QueueNow) -> str:
    """The queue in the layout of `queue show`."""
    return "\n".join([_head(now), *_member_lines(now), *_caller_lines(now)])


def queue_json(now: QueueNow) -> dict[str, Any]:
    """The same for a program: the figures of the day, members, and callers in their order."""
    return {
        **now.kpis.as_json(),
        "at": round(now.at, 3),
        "strategy": now.queue.strategy,
        "members": [_member_json(member) for member in now.members],
        "callers": [_caller_json(now, call) for call in now.waiting],
    }


def _member(view: AgentView, device: str, rows: Iterable[LedgerRow], since: float) -> Member:
    ended = [row.at for row in rows if row.kind == "talk_ended" and row.agent == view.name and row.at >= since]
    return Member(view, device, len(ended), max(ended, default=None))


def _waiting(rows: Iterable[LedgerRow]) -> Iterator[WaitingCall]:
    """Calls that entered and have neither left nor been joined; a place that was kept is whose it is now."""
    entered: dict[str, LedgerRow] = {}
    gone: set[str] = set()
    for row in rows:
        if row.kind == "entered_queue":
            entered[row.entry_id] = row
        elif row.kind == "came_back" and row.entry_id in entered:
            entered[row.entry_id] = replace(entered[row.entry_id], call_id=row.call_id)
        elif row.kind in ("joined", "left_queue"):
            gone.add(row.entry_id)
    for entry_id, row in entered.items():
        if entry_id not in gone:
            yield WaitingCall(entry_id, row.call_id, row.queue, row.data["priority"], row.at)


def _away(rows: Iterable[LedgerRow]) -> dict[str, str]:
    """The places whose callers have stepped out, are to be called back, or were cut off."""
    away: dict[str, str] = {}
    for row in rows:
        kind = row.data.get("entry_kind", "call")
        if row.kind == "stepped_out" or (row.kind == "entered_queue" and kind != "call"):
            away[row.entry_id] = _AWAY[kind]
        elif row.kind == "came_back":
            away.pop(row.entry_id, None)
    return away


def _head(now: QueueNow) -> str:
    figures, queue = now.kpis, now.queue
    levels = figures.service_levels
    return (
        f"{queue.name} has {len(now.waiting)} calls (max {queue.max_waiting or 'unlimited'}) "
        f"in '{queue.strategy}' strategy "
        f"({_average(figures.wait)} holdtime, {_average(figures.talk)} talktime), W:0, C:{figures.answered}, "
        f"A:{figures.abandoned}, SL:{_percent(levels['answered_only'])}, SL2:{_percent(levels['ans_plus_aban'])} "
        f"within {queue.service_level_s:g}s, "
        f"{queue.service_level_formula}:{_percent(figures.service_level)}"
    )


def _member_lines(now: QueueNow) -> Iterator[str]:
    yield "   Members:" if now.members else "   No Members"
    for member in now.members:
        view = member.view
        yield (
            f"      {view.full_name} ({member.device}){_presence(view, now.at)} "
            f"({_ACTIVITIES.get(view.activity, view.activity)}) {_taken(member, now.at)}"
        )


def _presence(view: AgentView, at: float) -> str:
    """How `queue show` tells a pause. An agent who is not logged in is no member there; here it is said."""
    since = f"was {int(at - view.presence_since_at)} secs ago"
    if view.presence is Presence.PAUSED:
        return f" (paused:{view.presence_reason} {since})" if view.presence_reason else f" (paused {since})"
    return " (logged out)" if view.presence is Presence.LOGGED_OUT else ""


def _taken(member: Member, at: float) -> str:
    if member.last_at is None:
        return "has taken no calls yet"
    return f"has taken {member.taken} calls (last was {int(at - member.last_at)} secs ago)"


def _caller_lines(now: QueueNow) -> Iterator[str]:
    yield "   Callers:" if now.waiting else "   No Callers"
    for place, call in enumerate(now.waiting, start=1):
        minutes, seconds = divmod(max(0, int(now.at - call.entered_at)), 60)
        agent = now.offered_to.get(call.call_id)
        why_away = now.away.get(call.entry_id, "")
        more = f" (offered to {agent})" if agent else f" ({why_away})" if why_away else ""
        yield f"      {place}. {call.call_id} (wait: {minutes}:{seconds:02}, prio: {call.priority}){more}"


def _average(spread: Spread | None) -> str:
    return f"{spread.mean_s:.0f}s p90 {spread.p90_s:.0f}s" if spread else "0s"


def _percent(share: float | None) -> str:
    return f"{(share or 0.0) * 100:.1f}%"


def _member_json(member: Member) -> dict[str, Any]:
    view = member.view
    return {
        "agent": view.name,
        "full_name": view.full_name,
        "device": member.device,
        "presence": view.presence.value,
        "presence_reason": view.presence_reason,
        "presence_since_at": round(view.presence_since_at, 3),
        "activity": view.activity,
        "activity_since_at": round(view.activity_since_at, 3),
        "taken": member.taken,
        "last_at": None if member.last_at is None else round(member.last_at, 3),
    }


def _caller_json(now: QueueNow, call: WaitingCall) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "entered_at": round(call.entered_at, 3),
        "wait_s": round(max(0.0, now.at - call.entered_at), 3),
        "priority": call.priority,
        "offered_to": now.offered_to.get(call.call_id),
        "away": now.away.get(call.entry_id),
    }
