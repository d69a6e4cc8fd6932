"""The key figures of agents, from rows of the ledger and from nothing else. Pure; queues have theirs in `kpis`.

An offer belongs to the period in which it was made, with all that came of it; time is cut at the period's ends
(`agent_time`). The order of the rows does not matter, and a row told twice counts once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cordboard.acd.agent_time import TIME_KINDS, AgentTime, agent_time
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import OfferEnd, Presence
from cordboard.acd.rona_figures import RonaFigures
from cordboard.acd.spread import Spread, spread_of
from cordboard.acd.stays import TRANSFERS

AGENT_KINDS = (*TIME_KINDS, "offer_made", "offer_ended")  # rows that are needed for this


@dataclass(frozen=True, slots=True)
class AgentKpis(RonaFigures):
    """One agent's figures in one period.

    offers: made to them; answered: joined with the caller; ring: how long their phone rang for calls they took.
    handle: talk (with hold) and wrap-up; its mean is the AHT. Talks with an end nobody heard have no length here.
    transfers: talks they ended by passing the caller on, of `talks_ended`.
    """

    agent: str
    offers: int
    answered: int
    ring: Spread | None
    talk: Spread | None
    wrap_up: Spread | None
    handle: Spread | None
    offer_ends: Mapping[OfferEnd, int]
    transfers: int
    talks_ended: int
    time: AgentTime

    def as_json(self) -> dict[str, Any]:
        """All figures, ready for JSON; shares from 0 to 1."""
        spreads = {"ring": self.ring, "talk": self.talk, "wrap_up": self.wrap_up, "handle": self.handle}
        return {
            "agent": self.agent,
            "offers": self.offers,
            "answered": self.answered,
            "aht_s": None if self.handle is None else round(self.handle.mean_s, 3),
            "occupancy": _rounded(self.time.occupancy),
            "logged_in_s": round(self.time.logged_in_s, 3),
            "busy_s": round(self.time.busy_s, 3),
            "free_s": round(self.time.free_s, 3),
            "paused_s": {reason: round(length_s, 3) for reason, length_s in self.time.paused_s.items()},
            **{name: spread.as_json() if spread else None for name, spread in spreads.items()},
            **self.rona_as_json(),
            "transfers": self.transfers,
            "talks_ended": self.talks_ended,
        }


def agent_kpis(
    rows: Iterable[LedgerRow],
    agents: Mapping[str, Presence],
    since: float,
    until: float,
    *,
    time_until: float | None = None,
    queue: str = "",
) -> list[AgentKpis]:
    """The figures of these agents, in their order.

    agents: by name, with their presence now; since, until: of the offers, in seconds since 1970; time_until: up to
    when their time is told, if the period is not over yet (default: until); queue: the one whose calls are told
    ("": all); time is that with all of them.
    rows: of `AGENT_KINDS`, from `since` until the last offer of the period has come to its end.
    """
    by_agent: defaultdict[str, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        by_agent[row.agent].append(row)
    ends_at = until if time_until is None else min(until, time_until)
    return [
        _figures(
            name,
            (row for row in by_agent[name] if queue in ("", row.queue)),
            since,
            until,
            agent_time(by_agent[name], name, since, ends_at, now=now),
        )
        for name, now in agents.items()
    ]


@dataclass(slots=True)
class _Taken:
    """What came of one agent's offers, by offer."""

    made: dict[str, float] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    rings: dict[str, float] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    talks: dict[str, float] = field(default_factory=dict)
    partings: dict[str, str] = field(default_factory=dict)
    wrap_ups: dict[str, float] = field(default_factory=dict)

    def take(self, row: LedgerRow) -> None:
        """One more row."""
        offer, data = row.offer_id, row.data
        match row.kind:
            case "offer_made":
                self.made[offer] = row.at
            case "joined":
                self.joined.add(offer)
            case "offer_ended":
                self.ends[offer], self.rings[offer] = data["end"], data["ring_s"]
            case "talk_ended":
                self.partings[offer] = data.get("by", "")
                if not data.get("estimated"):
                    self.talks[offer] = data["talk_s"]
            case "wrap_up_ended":
                self.wrap_ups[offer] = data["wrap_up_s"]


def _figures(agent: str, rows: Iterable[LedgerRow], since: float, until: float, time: AgentTime) -> AgentKpis:
    taken = _Taken()
    for row in rows:
        taken.take(row)
    offers = [offer for offer, at in taken.made.items() if since <= at < until]
    talks = [offer for offer in offers if offer in taken.talks]
    ends = Counter(OfferEnd(taken.ends[offer]) for offer in offers if offer in taken.ends)
    served = [offer for offer in offers if taken.ends.get(offer) == OfferEnd.SERVED]
    return AgentKpis(
        agent=agent,
        offers=len(offers),
        answered=sum(offer in taken.joined for offer in offers),
        ring=spread_of(taken.rings[offer] for offer in served),
        talk=spread_of(taken.talks[offer] for offer in talks),
        wrap_up=spread_of(taken.wrap_ups[offer] for offer in offers if offer in taken.wrap_ups),
        handle=spread_of(taken.talks[offer] + taken.wrap_ups.get(offer, 0.0) for offer in talks),
        offer_ends={end: ends[end] for end in OfferEnd if ends[end]},
        transfers=sum(taken.partings.get(offer) in TRANSFERS for offer in offers),
        talks_ended=sum(offer in taken.partings for offer in offers),
        time=time,
    )


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
