"""The store made to agree with the switch, by the observer that has just listed its legs. Called by `AcdStore`.

What lives on the switch is true; what a row says and the switch does not know has ended while nobody looked. Only
rows older than the list are judged by it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select

from cordboard.acd.model import LeftBecause, OfferEnd, OfferState
from cordboard.store import acd_entries, acd_offers
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
RING_GRACE_S = 30.0  # for the whisper, and for whatever else lies between picking up and the accept key

_OPEN_OFFERS = (
    select(offers, queue_entries.c.leg_id, queue_entries.c.switch)
    .join(queue_entries, queue_entries.c.entry_id == offers.c.entry_id)
    .where(OPEN_OFFER)
)
_LIVE_ENTRIES = select(queue_entries).where(LIVE_ENTRY, queue_entries.c.entered_at < bindparam("b_before"))
_RUNG_BEFORE = select(offers.c.offer_id, offers.c.queue, offers.c.ringing_at).where(
    OPEN_OFFER, offers.c.state.in_(("ringing", "answered"))
)


def reconcile(
    turn: Turn, legs: Sequence[AgentLeg], live_leg_ids: Collection[str], listed_at: float, switch: str
) -> None:
    """Note what was missed. switch: whose legs these are, "" if there is only one."""
    by_offer = {leg.offer_id: leg for leg in legs}
    for offer in turn.rows(_OPEN_OFFERS):
        if switch in ("", offer.switch):
            leg = by_offer.get(offer.offer_id)
            if leg is None:
                _without_leg(turn, offer, live_leg_ids, listed_at)
            else:
                _with_leg(turn, offer, leg)
    for entry in turn.rows(_LIVE_ENTRIES, b_before=listed_at):
        if switch in ("", entry.switch) and entry.leg_id not in live_leg_ids:
            _gone_caller(turn, entry, listed_at)
    turn.may_match = True


def _with_leg(turn: Turn, offer: Row[Any], leg: AgentLeg) -> None:
    if leg.joined_at is not None:
        acd_offers.note_joined(turn, offer, leg.joined_at)
    else:
        acd_offers.note_ringing(turn, offer, turn.now.wall)


def _without_leg(turn: Turn, offer: Row[Any], live_leg_ids: Collection[str], listed_at: float) -> None:
    """A talk has ended. A ringing has too, unless it may only just have begun, or its result be on the way."""
    if offer.state == OfferState.TALKING:
        if offer.joined_at < listed_at:
            acd_offers.note_gone(turn, offer, offer.agent_gone_at or listed_at)
    elif offer.state != OfferState.OFFERED and offer.ringing_at < listed_at - BETWEEN_LEGS_S:
        is_here = offer.leg_id in live_leg_ids
        end = OfferEnd.WITHDRAWN if is_here else OfferEnd.CALLER_LEFT
        acd_offers.end_without_talk(turn, offer, end, listed_at)
        if not is_here:
            acd_entries.leave(turn, offer.call_id, LeftBecause.ABANDONED, listed_at)


def _gone_caller(turn: Turn, entry: Row[Any], listed_at: float) -> None:
    """Whoever held the call is gone too, or has lost track of it. A restart of the machine leaves leases of 0."""
    if entry.state == "talking":
        acd_entries.leave(turn, entry.call_id, LeftBecause.SERVED, listed_at)
    elif entry.lease_until <= turn.now.boot or entry.entered_at < listed_at - LOST_TRACK_S:
        because = LeftBecause.LOST if entry.lease_until == 0.0 else LeftBecause.ABANDONED
        acd_entries.leave(turn, entry.call_id, because, listed_at)


def overdue_offers(turn: Turn) -> frozenset[str]:
    """Offers whose phones can not be ringing any more; only a list of the legs tells what became of them."""
    return frozenset(row.offer_id for row in turn.rows(_RUNG_BEFORE) if _is_overdue(turn, row))


def _is_overdue(turn: Turn, offer: Row[Any]) -> bool:
    queue = turn.queue(offer.queue)
    return bool(offer.ringing_at + queue.ring_s + queue.accept.within_s + RING_GRACE_S < turn.now.wall)
