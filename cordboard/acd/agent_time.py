"""What agents did with their time, from rows of the ledger: logged in, paused and why, busy with calls, free. Pure.

Used for the figures of agents. Unlike calls, which count where they began, time is cut at the ends of the period.
Rows of other agents may be among those that are given; their order does not matter.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import Presence

TIME_KINDS = ("presence_changed", "joined", "talk_ended", "wrap_up_ended")  # rows that are needed for this


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which somebody's presence was the same. Seconds since 1970; reason: of a pause."""

    begins: float
    ends: float
    presence: Presence
    reason: str = ""

    @property
    def length_s(self) -> float:
        """How long it was."""
        return self.ends - self.begins


@dataclass(frozen=True, slots=True)
class AgentTime:
    """One agent's time in a period, in seconds.

    logged_in_s: available or paused; busy_s: in talks (with hold) and wrap-ups, whatever the presence; free_s:
    available and not busy, so calls could come; paused_s: paused and not busy, by reason.
    """

    logged_in_s: float = 0.0
    busy_s: float = 0.0
    free_s: float = 0.0
    paused_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def occupancy(self) -> float | None:
        """Busy / (busy + free), 0.0 to 1.0; None for one who was neither."""
        whole = self.busy_s + self.free_s
        return self.busy_s / whole if whole > 0 else None


def agent_time(
    rows: Iterable[LedgerRow], agent: str, since: float, until: float, *, now: Presence = Presence.LOGGED_OUT
) -> AgentTime:
    """The time from since until before `until`, both in seconds since 1970; the latter lies not in the future.

    rows: of `TIME_KINDS`, from `since` until the talks of the period have ended; now: the agent's presence, for one
    of whom no row tells.
    """
    own = list({row.event_id: row for row in rows if row.agent == agent}.values())
    stretches = list(presence_stretches(own, since, until, now=now))
    busy = _merged(_busy(own, since, until))
    paused: defaultdict[str, list[float]] = defaultdict(list)
    for one in stretches:
        if one.presence is Presence.PAUSED:
            paused[one.reason].append(one.length_s - _overlap_s(one, busy))
    available = [one for one in stretches if one.presence is Presence.AVAILABLE]
    return AgentTime(
        logged_in_s=math.fsum(one.length_s for one in stretches if one.presence is not Presence.LOGGED_OUT),
        busy_s=math.fsum(ends - begins for begins, ends in busy),
        free_s=math.fsum(one.length_s - _overlap_s(one, busy) for one in available),
        paused_s={reason: math.fsum(lengths) for reason, lengths in sorted(paused.items())},
    )


def presence_stretches(
    own: Iterable[LedgerRow], since: float, until: float, *, now: Presence = Presence.LOGGED_OUT
) -> Iterator[Stretch]:
    """One agent's presence through a period, cut at its ends. own: rows of that agent; now: see `agent_time`."""
    changes = sorted((row for row in own if row.kind == "presence_changed"), key=lambda row: (row.at, row.seq))
    first = changes[0].data if changes else {}
    before = Stretch(since, since, Presence(first.get("was", now)), first.get("was_reason", ""))
    told = [before, *map(_begun, changes)]
    last = Stretch(until, until, Presence.LOGGED_OUT)
    for one, after in pairwise([*told, last]):
        begins, ends = max(since, one.begins), min(until, after.begins)
        if begins < ends:
            yield Stretch(begins, ends, one.presence, one.reason)


def _begun(row: LedgerRow) -> Stretch:
    return Stretch(row.at, row.at, Presence(row.data["presence"]), row.data["reason"])


def _busy(own: Sequence[LedgerRow], since: float, until: float) -> Iterator[tuple[float, float]]:
    """Talks and wrap-ups, cut at the ends of the period. A talk that goes on is one so far."""
    ended = {row.offer_id for row in own if row.kind == "talk_ended"}
    for row in own:
        if row.kind == "talk_ended" and not row.data.get("estimated"):
            span = (row.at - row.data["talk_s"], row.at)
        elif row.kind == "wrap_up_ended":
            span = (row.at - row.data["wrap_up_s"], row.at)
        elif row.kind == "joined" and row.offer_id not in ended:
            span = (row.at, until)
        else:
            continue
        begins, ends = max(since, span[0]), min(until, span[1])
        if begins < ends:
            yield begins, ends


def _merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same time, each moment of it once."""
    found: list[tuple[float, float]] = []
    for begins, ends in sorted(spans):
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((begins, ends))
    return found


def _overlap_s(stretch: Stretch, spans: Iterable[tuple[float, float]]) -> float:
    cut = ((max(stretch.begins, begins), min(stretch.ends, ends)) for begins, ends in spans)
    return math.fsum(ends - begins for begins, ends in cut if begins < ends)
