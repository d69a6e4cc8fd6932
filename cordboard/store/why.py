"""What happened to a call, and why, in words. For `cordboard queue why`; read only."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from cordboard.acd.durations import in_words
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import Activity, FloorPlan, LeftBecause, Moment, OfferEnd, Presence
from cordboard.acd.why_waiting import Around, why_waiting
from cordboard.store.acd_entries import live_entry, position
from cordboard.store.acd_matching import at_work, served_now
from cordboard.store.acd_needs import waiting_call
from cordboard.store.acd_values import AgentView, FloorSnapshot, WhyLine
from cordboard.store.floor_view import floor_snapshot
from cordboard.store.ledger import rows_of_places
from cordboard.store.tables import queue_entries
from cordboard.store.turn import Turn

_ENDS: Mapping[str, str] = {
    OfferEnd.SERVED: "the call was served",
    OfferEnd.NO_ANSWER: "nobody picked up",
    OfferEnd.BUSY: "the phone was busy (486)",
    OfferEnd.REJECTED: "the phone rejected it (603)",
    OfferEnd.UNAVAILABLE: "the phone was unavailable (480)",
    OfferEnd.UNREGISTERED: "the phone was not registered",
    OfferEnd.DECLINED: "declined by key",
    OfferEnd.NO_KEY: "picked up, but the accept key did not come",
    OfferEnd.LEFT_WHISPER: "picked up, and hung up before accepting",
    OfferEnd.CALLER_LEFT: "the caller hung up first",
    OfferEnd.WITHDRAWN: "taken back, as the phone was not rung",
    OfferEnd.FAILED: "the switch could not ring the phone",
    OfferEnd.TAKEN: "another agent has taken the call",
}
_LEFT: Mapping[str, str] = {
    LeftBecause.SERVED: "served",
    LeftBecause.ABANDONED: "the caller hung up",
    LeftBecause.MAX_WAIT: "the longest wait was over",
    LeftBecause.EXIT_KEY: "stepped out by a key, and did not come back",
    LeftBecause.EMPTY: "no agent was there",
    LeftBecause.CLOSED: "the queue has closed, or was taken out of the files",
    LeftBecause.OVERFLOW: "sent on by the queue's rules",
    LeftBecause.CALLBACK: "is to be called back",
    LeftBecause.CUT_OFF: "was cut off, and did not come back",
    LeftBecause.LOST: "the call was lost",
}
_REFUSED: Mapping[str, str] = {
    "full": "too many callers wait",
    "empty": "no agent is there",
    "closed": "it is closed",
}
_AWAY: Mapping[str, str] = {
    "call": "stepped out, and keeps the place",
    "callback": "keeps the place for a call back",
    "cut_off": "was cut off, and keeps the place",
    "hung_up": "is gone",
}
_CALLED_BACK: Mapping[str, str] = {
    "done": "was called back",
    "taken": "called again before, and was not called back",
    "failed": "was not reached, and is not called any more",
    "expired": "was not called back in time",
    "declined": "was called back, and did not want it any more",
    "erased": "cannot be called back: the number was erased",
}


_CALLS_OF_PLACES = select(queue_entries.c.call_id).where(
    queue_entries.c.entry_id.in_(bindparam("entries", expanding=True))
)


def why(
    connection: Connection, call_id: str, *, now: Moment | None = None, plan: FloorPlan | None = None
) -> list[WhyLine]:
    """A call's way through the queues, from first to last; empty for a call that was in none.

    now, plan: to say of a call that still waits what it waits for.
    """
    rows = rows_of_places(connection, call_id)
    lines = list(_told(rows))
    if now is not None and plan is not None:
        calls = dict.fromkeys([call_id, *_calls_of_places(connection, rows)])
        lines += next(filter(None, (_present(connection, call, now, plan) for call in calls)), [])
    return lines


def _calls_of_places(connection: Connection, rows: Iterable[LedgerRow]) -> Sequence[str]:
    """Whose these places are now."""
    entries = sorted({row.entry_id for row in rows} - {""})
    return connection.scalars(_CALLS_OF_PLACES, {"entries": entries}).all()


def told_kinds() -> frozenset[str]:
    """The kinds of rows that have words of their own."""
    return frozenset(_WORDS)


def _told(rows: Iterable[LedgerRow]) -> Iterator[WhyLine]:
    """The rows in words, none before the one above it: a stay after an overflow has begun before it, by the time
    from which it is counted. Where a place goes to a further call, that one is named.
    """
    told_at, calls = 0.0, set[str]()
    for row in rows:
        is_counted_from_before = row.kind == "entered_queue" and row.at < told_at
        since = f", its wait counted from {in_words(told_at - row.at)} before" if is_counted_from_before else ""
        told_at = max(told_at, row.at)
        taken_on = f", as call {row.call_id}" if calls and row.call_id not in calls else ""
        calls.add(row.call_id)
        yield WhyLine(told_at if since else row.at, row.kind, _in_words(row) + since + taken_on)


def _in_words(row: LedgerRow) -> str:
    say = _WORDS.get(row.kind)
    return say(row, row.data) if say else row.kind


_WORDS: Mapping[str, Callable[[LedgerRow, Mapping[str, Any]], str]] = {
    "call_tagged": lambda row, data: f"tagged {data['name']}: {data['value']}",
    "survey_answered": lambda row, data: f"answered {data['name']} with {data['score']}",
    "callback_requested": lambda row, data: f"asked {row.queue} for a call back{_with_priority(data)}",
    "callback_dialled": lambda row, data: f"is called back, attempt {data['attempt']}",
    "callback_attempt_failed": lambda row, data: f"could not be called back: {data['result']}",
    "callback_closed": lambda row, data: _CALLED_BACK[data["state"]],
    "entered_queue": lambda row, data: f"entered {row.queue}{_with_priority(data)}{_asking(data)}",
    "refused": lambda row, data: f"was not let into {row.queue}: {_REFUSED[data['because']]}",
    "stepped_out": lambda row, data: _AWAY[data["entry_kind"]],
    "came_back": lambda row, data: f"waits in {row.queue} again",
    "needs_relaxed": lambda row, data: f"asks for {data['asks']} from now on",
    "offer_made": lambda row, data: f"offered to {row.agent}: {data['reason']}",
    "offer_ringing": lambda row, data: f"the phone of {row.agent} rings",
    "agent_answered": lambda row, data: f"{row.agent} has picked up",
    "joined": lambda row, data: f"talks with {row.agent}, after {in_words(data['wait_s'])} in the queue",
    "wait_estimated": lambda row, data: (
        f"is likely to wait {in_words(data['likely_s'])}, and in four cases of five {in_words(data['at_most_s'])} "
        "at most"
    ),
    "left_queue": lambda row, data: f"left {row.queue}: {_why_left(data)}, after {in_words(data['wait_s'])}",
    "talk_ended": lambda row, data: f"the talk with {row.agent} ended, after {in_words(data['talk_s'])}",
    "offer_ended": lambda row, data: f"the offer to {row.agent} ended: {_ENDS[data['end']]}{_rang(data)}",
    "wrap_up_ended": lambda row, data: f"{row.agent} was done with it, {in_words(data['wrap_up_s'])} later",
    "disposition_set": lambda row, data: f"{row.agent} noted: {data['disposition']}",
    "agent_paused_by_rona": lambda row, data: f"{row.agent} was paused, after {data['in_a_row']} in a row",
}


def _with_priority(data: Mapping[str, Any]) -> str:
    return f", with priority {data['priority']}" if data["priority"] else ""


def _asking(data: Mapping[str, Any]) -> str:
    return f", asking for {data['asks']}" if data.get("asks") else ""


def _why_left(data: Mapping[str, Any]) -> str:
    if rule := data.get("rule"):
        way = f"on to {data['to']}" if data.get("to") else "out"
        return f"sent {way} by its overflow ({rule})"
    return f"by key {data['key']}" if data.get("key") else _LEFT[data["because"]]


def _rang(data: Mapping[str, Any]) -> str:
    return f" (rang for {in_words(data['ring_s'])})" if data["ring_s"] else ""


def _present(connection: Connection, call_id: str, now: Moment, plan: FloorPlan) -> list[WhyLine]:
    """What a call waits for now; nothing if it does not wait."""
    turn = Turn(connection, now, plan)
    entry = live_entry(turn, call_id)
    place = position(turn, call_id)
    if entry is None or place is None:
        return []
    snapshot = floor_snapshot(connection, now, plan)
    waited = in_words(now.wall - entry.entered_at)
    waits = "keeps a place in" if entry.state == "away" else "waits in"
    text = f"{waits} {entry.queue}, for {waited}, in place {place}; {_who_is_there(entry.queue, snapshot, plan)}"
    text = "; ".join([text, *_what_it_lacks(turn, entry, snapshot)])
    # While a phone rings the call is the switch's, and while its caller is elsewhere nobody's.
    lost = entry.lease_until <= now.boot and entry.state == "waiting"
    return [WhyLine(now.wall, "waiting", text + ("; no worker holds the call now" if lost else ""))]


def _what_it_lacks(turn: Turn, entry: Row[Any], snapshot: FloorSnapshot) -> list[str]:
    """What the call asks for, and who could give it."""
    doing = {view.name: _doing(view) for view in snapshot.agents}
    around = Around(doing, at_work(turn), served_now(turn).get(entry.queue, 0))
    return why_waiting(waiting_call(entry), turn.plan, around, turn.now)


def _doing(view: AgentView) -> str:
    """What an agent does, and until when they are left in peace after a call they did not take."""
    if _rests(view):
        return f"resting for {in_words(math.ceil(view.rests_s))} more"
    return view.activity if view.presence is Presence.AVAILABLE else view.presence


def _rests(view: AgentView) -> bool:
    is_idle = view.presence is Presence.AVAILABLE and view.activity == Activity.IDLE
    return is_idle and view.rests_s > 0


def _who_is_there(name: str, snapshot: FloorSnapshot, plan: FloorPlan) -> str:
    queue = next((view for view in snapshot.queues if view.name == name), None)
    if queue is None:
        return "the queue is not configured any more"
    if not queue.agents:
        return "the queue has no agents"
    members = {agent.name for agent in plan.agents_of(name)}
    resting = sum(_rests(view) for view in snapshot.agents if view.name in members)
    doing = Counter(queue.agents) + Counter(resting=resting)
    doing.subtract({Activity.IDLE.value: resting})
    counts = ", ".join(f"{count} {one.replace('_', ' ')}" for one, count in sorted(doing.items()) if count)
    return f"its agents: {counts}"
