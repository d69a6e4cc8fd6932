"""Lines of Asterisk's `queue_log`, from rows of the ledger: the format that reporting tools read. Pure.

One row gives no line, one, or (an agent's pause) several; which they are depends on the row and on earlier rows of
its stay and offer only. So the file can be written from any point on, and again from the beginning, byte by byte.
What app_queue writes (Asterisk 22) and what here differs from it is in docs/kpis.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import RONA, LeftBecause, OfferEnd, Presence
from cordboard.acd.presence import RONA_REASON

NOBODY = "NONE"
# Rows that give lines.
LOGGED_KINDS = ("entered_queue", "joined", "left_queue", "talk_ended", "offer_ended", "presence_changed")

EventLookup = Callable[[str], LedgerRow | None]
"""The row with this event id, None if there is none."""

_EXITS: Mapping[str, str] = {
    LeftBecause.ABANDONED: "ABANDON",
    LeftBecause.LOST: "ABANDON",
    LeftBecause.CUT_OFF: "ABANDON",
    LeftBecause.MAX_WAIT: "EXITWITHTIMEOUT",
    LeftBecause.EXIT_KEY: "EXITWITHKEY",
    LeftBecause.EMPTY: "EXITEMPTY",
    LeftBecause.CLOSED: "WITHDRAW",
    LeftBecause.OVERFLOW: "WITHDRAW",
    LeftBecause.CALLBACK: "WITHDRAW",
}
_ENDS: Mapping[str, str] = {"caller": "COMPLETECALLER"}  # of a talk that is over; any other: the agent's leg ended
_CANCELED = (OfferEnd.CALLER_LEFT, OfferEnd.WITHDRAWN)


def related_events(row: LedgerRow) -> tuple[str, ...]:
    """The ids of earlier events that the row's lines need."""
    entered = f"{row.entry_id}:entered_queue"
    match row.kind:
        case "joined":
            return entered, f"{row.offer_id}:offer_ringing", f"{row.offer_id}:agent_answered"
        case "talk_ended":
            return entered, f"{row.offer_id}:joined"
        case "left_queue" | "offer_ended":
            return (entered,)
    return ()


def queue_log_lines(row: LedgerRow, earlier: EventLookup, number: str = "") -> Iterator[str]:
    """The row's lines, without their ends. number: the caller's, as it may be shown."""
    match row.kind:
        case "entered_queue":
            yield _line(row, earlier, NOBODY, "ENTERQUEUE", "", number, row.data.get("position", 1))
        case "joined":
            yield _connect(row, earlier)
        case "left_queue" if row.data["because"] in _EXITS:
            yield _exit(row, earlier)
        case "talk_ended":
            yield _complete(row, earlier)
        case "offer_ended":
            yield from _missed(row, earlier)
        case "presence_changed":
            yield from _presence(row)


def _connect(row: LedgerRow, earlier: EventLookup) -> str:
    rang = earlier(f"{row.offer_id}:offer_ringing")
    answered = earlier(f"{row.offer_id}:agent_answered") or row
    ring_s = int(answered.at - rang.at) if rang is not None else 0
    held_s = _seconds(_entered(row, earlier), row)
    return _line(row, earlier, row.agent, "CONNECT", held_s, row.data.get("leg", ""), max(0, ring_s))


def _exit(row: LedgerRow, earlier: EventLookup) -> str:
    because = row.data["because"]
    entered = _entered(row, earlier)
    places = (row.data.get("position", 1), entered.data.get("position", 1), _seconds(entered, row))
    key = (row.data.get("key", ""),) if because == LeftBecause.EXIT_KEY else ()
    info = (because,) if _EXITS[because] == "WITHDRAW" else ()
    return _line(row, earlier, NOBODY, _EXITS[because], *key, *places, *info)


def _complete(row: LedgerRow, earlier: EventLookup) -> str:
    """How the talk ended. Where a transfer led to is not known."""
    entered = _entered(row, earlier)
    joined = earlier(f"{row.offer_id}:joined") or row
    lengths = (_seconds(entered, joined), _seconds(joined, row), entered.data.get("position", 1))
    match row.data.get("by", ""):
        case "blind_transfer":
            return _line(row, earlier, row.agent, "BLINDTRANSFER", "", "", *lengths)
        case "attended_transfer":
            return _line(row, earlier, row.agent, "ATTENDEDTRANSFER", "BRIDGE", "", *lengths)
        case by:
            return _line(row, earlier, row.agent, _ENDS.get(by, "COMPLETEAGENT"), *lengths)


def _missed(row: LedgerRow, earlier: EventLookup) -> Iterator[str]:
    """An offer that came to nothing: by the agent, or by the caller while the phone rang."""
    ring_ms = round(row.data["ring_s"] * 1000)
    if row.data["end"] in RONA:
        yield _line(row, earlier, row.agent, "RINGNOANSWER", ring_ms)
    elif row.data["end"] in _CANCELED and ring_ms > 0:
        yield _line(row, earlier, row.agent, "RINGCANCELED", ring_ms)


def _presence(row: LedgerRow) -> Iterator[str]:
    """An agent who logs in or out is a member that comes or goes; a pause is one in each of their queues."""
    was, queues = row.data.get("was", Presence.LOGGED_OUT), row.data.get("queues", ())
    reason = "Auto-Pause" if row.data["reason"] == RONA_REASON else row.data["reason"]
    match was, row.data["presence"]:
        case Presence.LOGGED_OUT, Presence.LOGGED_OUT:
            return
        case Presence.LOGGED_OUT, Presence.AVAILABLE:
            yield from _in_each(row, queues, "ADDMEMBER", "")
        case Presence.LOGGED_OUT, Presence.PAUSED:
            yield from _in_each(row, queues, "ADDMEMBER", "PAUSED")
            yield from _in_all(row, queues, "PAUSE", reason)
        case _, Presence.PAUSED:
            yield from _in_all(row, queues, "PAUSE", reason)
        case Presence.PAUSED, Presence.AVAILABLE:
            yield from _in_all(row, queues, "UNPAUSE", "")
        case _, Presence.LOGGED_OUT:
            yield from _in_each(row, queues, "REMOVEMEMBER", "")


def _in_all(row: LedgerRow, queues: list[str], event: str, data: str) -> Iterator[str]:
    yield _joined(row, NOBODY, NOBODY, row.agent, f"{event}ALL", data)
    yield from _in_each(row, queues, event, data)


def _in_each(row: LedgerRow, queues: list[str], event: str, data: str) -> Iterator[str]:
    for queue in queues:
        yield _joined(row, NOBODY, queue, row.agent, event, data)


def _entered(row: LedgerRow, earlier: EventLookup) -> LedgerRow:
    """Where the stay began; the row itself for one that began before the ledger did."""
    return earlier(f"{row.entry_id}:entered_queue") or row


def _seconds(begin: LedgerRow, end: LedgerRow) -> int:
    """As app_queue reckons: from one whole second to another."""
    return max(0, int(end.at) - int(begin.at))


def _line(row: LedgerRow, earlier: EventLookup, agent: str, event: str, *data: object) -> str:
    """A line about a call, under the id of its channel as it came to the queue, whichever channel it has since. Who
    is rung back had none then: there it is the id of the promise.
    """
    entered = row if row.kind == "entered_queue" else earlier(f"{row.entry_id}:entered_queue")
    call = row.call_id if entered is None else entered.data.get("leg", "") or entered.call_id
    return _joined(row, call, row.queue, agent, event, *data)


def _joined(row: LedgerRow, call: str, queue: str, agent: str, event: str, *data: object) -> str:
    fields = (int(row.at), call, queue, agent, event, *data)
    return "|".join(_plain(field) for field in fields)


def _plain(field: object) -> str:
    """Nothing in a field can look like the end of it, or of the line."""
    return "".join("_" if sign == "|" or not sign.isprintable() else sign for sign in str(field))
