"""The store made to agree with the switch, by the observer that has just listed its legs. Called by `AcdStore`.

What lives on the switch is true; what a row says and the switch does not know has ended while nobody looked. Only
rows older than the list are judged by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, select

from cordboard.acd.model import LeftBecause, OfferEnd, OfferState
from cordboard.store import acd_leaving, acd_offers
from cordboard.store.state_conditions import LIVE_ENTRY, OPEN_OFFER
from cordboard.store.tables import offers, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.ports import AgentLeg

# Between a caller's hand-over and the agent's channel, and between the end of that and its result, the switch
# has no leg of the agent for some milliseconds; and the result may wait for a database which was locked until
# now.
BETWEEN_LEGS_S = 2.0
# A worker that lives knows when its caller is gone. One that keeps a place for so long without a leg has lost
# track.
LOST_TRACK_S = 10.0
# A caller whom no worker has held for so long is in no queue any more: the switch took them to the safe
# destination.
UNHELD_S = 60.0
RING_GRACE_S = 30.0  # for the whisper, and for whatever else lies between picking up and the accept key

_OPEN_OFFERS = (
    select(offers, *(queue_entries.c[name] for name in ("leg_id", "switch", "entered_at", "lease_until")))
    .join(queue_entries, queue_entries.c.entry_id == offers.c.entry_id)
    .where(OPEN_OFFER)
)
_LIVE_ENTRIES = select(queue_entries).where(LIVE_ENTRY, queue_entries.c.entered_boot < bindparam("b_before"))
_RUNG_BEFORE = select(offers.c.offer_id, offers.c.queue, offers.c.changed_boot, offers.c.agent_gone_at).where(
    OPEN_OFFER, offers.c.state.in_(("ringing", "answered"))
)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a switch had, and when: `at` for people, `boot` for comparing. switch: "" if there is only one.

    started_at: when the switch itself began, None if that is not known.
    """

    legs: Sequence[AgentLeg]
    live_leg_ids: Collection[str]
    at: float
    boot: float
    switch: str = ""
    started_at: float | None = None

    def speaks_for(self, row: Row[Any]) -> bool:
        """Whether the row is about this switch."""
        return self.switch in ("", row.switch)

    def has_restarted_under(self, row: Row[Any]) -> bool:
        """Whether the caller came before the switch began: it has taken them down with it."""
        return self.started_at is not None and bool(row.entered_at < self.started_at)


def reconcile(turn: Turn, listed: Listed) -> None:
    """Note what was missed."""
    by_offer = {leg.offer_id: leg for leg in listed.legs}
    for offer in _calls(turn, filter(listed.speaks_for, turn.rows(_OPEN_OFFERS))):
        leg = by_offer.get(offer.offer_id)
        if leg is None:
            _without_leg(turn, offer, listed)
        else:
            _with_leg(turn, offer, leg)
    for entry in _calls(turn, filter(listed.speaks_for, turn.rows(_LIVE_ENTRIES, b_before=listed.boot))):
        if entry.leg_id not in listed.live_leg_ids:
            _gone_caller(turn, entry, listed)
        elif entry.state == "waiting" and entry.lease_until <= turn.now.boot - UNHELD_S:
            acd_leaving.leave(turn, entry.call_id, LeftBecause.LOST, listed.at)
    turn.may_match = True


def _calls(turn: Turn, rows: Iterable[Row[Any]]) -> Iterator[Row[Any]]:
    """Of these offers or places those of calls: nothing else has a leg."""
    return (row for row in rows if turn.queue(row.queue).medium == "voice")


def _with_leg(turn: Turn, offer: Row[Any], leg: AgentLeg) -> None:
    if leg.joined_at is not None:
        acd_offers.note_joined(turn, offer, leg.joined_at)
    else:
        acd_offers.note_ringing(turn, offer, turn.now.wall)


def _without_leg(turn: Turn, offer: Row[Any], listed: Listed) -> None:
    """A talk has ended. A ringing has too, unless it may only just have begun, or its result be on the way."""
    at = offer.agent_gone_at or listed.at
    if offer.state == OfferState.TALKING:
        if offer.changed_boot < listed.boot:
            acd_offers.note_gone(turn, offer, at, is_estimated=True)
    elif offer.state != OfferState.OFFERED and offer.changed_boot < listed.boot - BETWEEN_LEGS_S:
        is_here = offer.leg_id in listed.live_leg_ids
        end = OfferEnd.WITHDRAWN if is_here else OfferEnd.CALLER_LEFT
        acd_offers.end_without_talk(turn, offer, end, at)
        if not is_here:
            is_lost = offer.lease_until == 0.0 or listed.has_restarted_under(offer)
            acd_leaving.leave(turn, offer.call_id, LeftBecause.LOST if is_lost else LeftBecause.ABANDONED, at)


def _gone_caller(turn: Turn, entry: Row[Any], listed: Listed) -> None:
    """Whoever held the call is gone too, or has lost track of it. A restart of the machine leaves leases of 0."""
    if entry.state == "away" and entry.kind != "call":
        return  # the place is kept for one who is not on the phone
    if entry.state == "talking":
        acd_leaving.leave(turn, entry.call_id, LeftBecause.SERVED, listed.at)
    elif entry.lease_until == 0.0 or listed.has_restarted_under(entry):
        acd_leaving.leave(turn, entry.call_id, LeftBecause.LOST, listed.at)
    elif entry.lease_until <= turn.now.boot or entry.entered_boot < listed.boot - LOST_TRACK_S:
        acd_leaving.leave(turn, entry.call_id, LeftBecause.ABANDONED, _gone_at(turn, entry, listed))


def _gone_at(turn: Turn, entry: Row[Any], listed: Listed) -> float:
    """When the caller left, as nearly as it is known: a phone that rang for them has stopped with that."""
    rung = acd_offers.open_offers_of(turn, entry.entry_id)
    return max((float(offer.agent_gone_at) for offer in rung if offer.agent_gone_at is not None), default=listed.at)


def overdue_offers(turn: Turn) -> frozenset[str]:
    """Offers whose phones can not be ringing any more, and of which nobody has told what came of them: a worker was
    killed that had just been told. Only a list of the legs tells now.
    """
    return frozenset(row.offer_id for row in _calls(turn, turn.rows(_RUNG_BEFORE)) if _is_overdue(turn, row))


def _is_overdue(turn: Turn, offer: Row[Any]) -> bool:
    since_s = turn.now.boot - offer.changed_boot
    if offer.agent_gone_at is not None:
        return bool(since_s > BETWEEN_LEGS_S)
    queue = turn.queue(offer.queue)
    return bool(since_s > queue.ring_s + queue.accept.within_s + RING_GRACE_S)
