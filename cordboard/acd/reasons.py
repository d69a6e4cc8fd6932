"""How often each reason was given in a period: for leaving a queue, for not taking a call, for a pause, for the end
of a talk, as a disposition. From rows of the ledger and from nothing else. Pure.

A stay belongs to the period in which it began, as in `kpis`; everything else to the moment at which it happened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cordboard.acd.agent_time import presence_stretches
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import Presence
from cordboard.acd.spread import Spread, spread_of
from cordboard.acd.stays import stays_of

REASON_KINDS = (
    "entered_queue", "stepped_out", "joined", "left_queue", "offer_ended", "talk_ended", "wrap_up_ended",
    "presence_changed", "refused", "callback_closed",
)  # fmt: skip  # rows that are needed for this

_Lengths = dict[tuple[str, str, str], list[float | None]]


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """One reason. queue: "" for what belongs to no queue (pauses); what: left, refused (no place), callback, offer,
    talk, disposition or pause.

    length: how long that took: the wait, the ringing, the talk, the pause; None where nothing has a length.
    """

    queue: str
    what: str
    reason: str
    count: int
    length: Spread | None

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        head = {"queue": self.queue, "what": self.what, "reason": self.reason, "count": self.count}
        return {**head, "length": self.length.as_json() if self.length else None}


def reason_counts(
    rows: Iterable[LedgerRow], queues: Iterable[str], since: float, until: float
) -> list[ReasonCount]:
    """All reasons, by queue, then what they are for, the most frequent first; pauses last.

    rows: of `REASON_KINDS`, from `since` until the last call of the period has ended. since, until: seconds since
    1970, the latter not in the future. A pause is as long as it lies in the period.
    """
    by_queue: defaultdict[str, list[LedgerRow]] = defaultdict(list)
    for row in {row.event_id: row for row in rows}.values():
        by_queue[row.queue].append(row)
    found = [one for queue in queues for one in _counted(queue, _of_queue(by_queue[queue], queue, since, until))]
    return [*found, *_counted("", _pauses(by_queue[""], since, until))]


def _of_queue(rows: list[LedgerRow], queue: str, since: float, until: float) -> _Lengths:
    lengths: _Lengths = defaultdict(list)
    for stay in stays_of(rows, queue):
        if since <= stay.entered_at < until and (bucket := stay.bucket) is not None:
            lengths[queue, "left", bucket.value].append(stay.waited_s)
    for row in rows:
        if since <= row.at < until and (told := _told(row)) is not None:
            what, reason, length_s = told
            lengths[queue, what, reason].append(length_s)
    return lengths


def _told(row: LedgerRow) -> tuple[str, str, float | None] | None:
    """What for, the reason, and the length; None for a row that gives none."""
    data = row.data
    match row.kind:
        case "offer_ended":
            return "offer", data["end"], data["ring_s"]
        case "talk_ended":
            return "talk", data.get("by") or "not known", data["talk_s"]
        case "wrap_up_ended" if data["disposition"]:
            return "disposition", data["disposition"], data["wrap_up_s"]
        case "refused":
            return "refused", data["because"], None
        case "callback_closed":
            return "callback", data["state"], None
    return None


def _pauses(rows: list[LedgerRow], since: float, until: float) -> _Lengths:
    lengths: _Lengths = defaultdict(list)
    by_agent: defaultdict[str, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        if row.kind == "presence_changed":
            by_agent[row.agent].append(row)
    for own in by_agent.values():
        for one in presence_stretches(own, since, until):
            if one.presence is Presence.PAUSED:
                lengths["", "pause", one.reason].append(one.length_s)
    return lengths


_ORDER = ("left", "refused", "callback", "offer", "talk", "disposition", "pause")


def _counted(queue: str, lengths: _Lengths) -> Iterator[ReasonCount]:
    def rank(key: tuple[str, str, str]) -> tuple[int, int, str]:
        return _ORDER.index(key[1]), -len(lengths[key]), key[2]

    for key in sorted(lengths, key=rank):
        known = [length_s for length_s in lengths[key] if length_s is not None]
        yield ReasonCount(queue, key[1], key[2], len(lengths[key]), spread_of(known))
