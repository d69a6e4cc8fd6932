"""The life of an offer in the store: ringing, answered, talking, ended. `acd_offer_making` makes them, and hands
them to whoever rings.

A caller has one open offer, or, where all agents are rung at once, several: the first of them to be joined has the
call, and the others have ended with that (`taken`).

Called by `AcdStore` in its transactions. Facts come in any order, twice or never: the table in `acd/transitions.py`
says which of them is news. Ending an offer gives the caller back to the queue and the agent back to the floor.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select, update

from cordboard.acd.model import RONA, OfferEnd, OfferResult, OfferState
from cordboard.acd.strategies.compat import serves_one_at_a_time
from cordboard.acd.transitions import OfferFact, offer_after
from cordboard.store import acd_agents, acd_needs, agent_counts
from cordboard.store.state_conditions import OPEN_OFFER
from cordboard.store.tables import offers, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.ports import AgentLegEvent

_this = offers.c.offer_id == bindparam("b_offer")
_its_entry = queue_entries.c.entry_id == bindparam("b_entry")

_FIND = select(offers).where(_this)
_OPEN_OF_ENTRY = (
    select(offers).where(OPEN_OFFER, offers.c.entry_id == bindparam("b_entry")).order_by(offers.c.agent)
)
_RING = (
    update(offers)
    .where(_this)
    .values(
        state=OfferState.RINGING.value,
        ringing_at=bindparam("b_at"),
        changed_boot=bindparam("b_boot"),
        fence=select(queue_entries.c.fence).where(queue_entries.c.entry_id == offers.c.entry_id).scalar_subquery(),
    )
)
_NOTE_LEG = update(offers).where(_this).values(agent_leg_id=bindparam("b_leg"))
_now: dict[str, Any] = {"changed_boot": bindparam("b_boot")}
_ANSWER = update(offers).where(_this).values(state=OfferState.ANSWERED.value, answered_at=bindparam("b_at"), **_now)
_JOIN = (
    update(offers)
    .where(_this, OPEN_OFFER)
    .values(state=OfferState.TALKING.value, joined_at=bindparam("b_at"), **_now)
)
_NOTE_GONE = (
    update(offers).where(_this, offers.c.agent_gone_at.is_(None)).values(agent_gone_at=bindparam("b_at"), **_now)
)
_END = (
    update(offers)
    .where(_this, OPEN_OFFER)
    .values(
        state=OfferState.ENDED.value,
        end=bindparam("b_end"),
        ended_at=bindparam("b_at"),
        talk_ended_at=bindparam("b_talk_ended_at"),
    )
)
_RETURN_ENTRY = update(queue_entries).where(_its_entry, queue_entries.c.state == "offered").values(state="waiting")
_SERVE_ENTRY = (
    update(queue_entries)
    .where(_its_entry, queue_entries.c.state.in_(("waiting", "offered")))
    .values(state=bindparam("b_state"), left_at=bindparam("b_at"), left_because="served")
    .returning(queue_entries)
)
_CLOSE_ENTRY = update(queue_entries).where(_its_entry, queue_entries.c.state == "talking").values(state="left")
_FENCE = select(queue_entries.c.fence).where(_its_entry)


def find_offer(turn: Turn, offer_id: str) -> Row[Any] | None:
    """The offer's row."""
    return turn.row(_FIND, b_offer=offer_id)


def open_offers_of(turn: Turn, entry_id: str) -> list[Row[Any]]:
    """The caller's open offers: one, or several where all agents are rung at once."""
    return turn.rows(_OPEN_OF_ENTRY, b_entry=entry_id)


def give_back(turn: Turn, entry_id: str) -> None:
    """The caller waits again, in the old place."""
    turn.run(_RETURN_ENTRY, b_entry=entry_id)


# -- ringing --


def note_ringing(turn: Turn, offer: Row[Any], at: float) -> None:
    """The phone rings, or is about to."""
    if offer_after(OfferState(offer.state), OfferFact.RUNG) is None:
        return
    turn.run(_RING, b_offer=offer.offer_id, b_at=at, b_boot=turn.now.boot)
    turn.offered.pop(offer.entry_id, None)
    turn.tell_offer("offer_ringing", offer, at)
    acd_agents.note_ringing(turn, offer, at)


# -- the agent's leg --


def note_agent_leg(turn: Turn, event: AgentLegEvent) -> None:
    """What the agent's leg does. Events of offers we do not know are someone else's."""
    offer = find_offer(turn, event.offer_id)
    if offer is None or _is_of_another_leg(offer, event):
        return
    if event.leg_id and offer.agent_leg_id != event.leg_id:
        turn.run(_NOTE_LEG, b_offer=offer.offer_id, b_leg=event.leg_id)
    match event.kind:
        case "ringing":
            note_ringing(turn, offer, event.at)
        case "answered":
            note_answered(turn, offer, event.at)
        case "joined":
            note_joined(turn, offer, event.at)
        case "refused":
            end_without_talk(turn, offer, OfferEnd(event.result), event.at)
        case "gone":
            note_gone(turn, offer, event.at, by=event.ended_by)


def _is_of_another_leg(offer: Row[Any], event: AgentLegEvent) -> bool:
    """Whoever picks up on another leg than the one that was rung is not the agent the offer was made to."""
    is_another = "" not in (event.leg_id, offer.agent_leg_id) and event.leg_id != offer.agent_leg_id
    return is_another and event.kind in ("answered", "joined")


def note_answered(turn: Turn, offer: Row[Any], at: float) -> None:
    """The agent has picked up; nobody talks yet."""
    if offer_after(OfferState(offer.state), OfferFact.ANSWERED) is None:
        return
    note_ringing(turn, offer, at)
    turn.run(_ANSWER, b_offer=offer.offer_id, b_at=at, b_boot=turn.now.boot)
    turn.tell_offer("agent_answered", offer, at)


def note_joined(turn: Turn, offer: Row[Any], at: float) -> None:
    """They talk: the caller has left the queue, served. Whoever was rung besides is free again."""
    if offer_after(OfferState(offer.state), OfferFact.JOINED) is None:
        return
    others = [other for other in open_offers_of(turn, offer.entry_id) if other.offer_id != offer.offer_id]
    if turn.run(_JOIN, b_offer=offer.offer_id, b_at=at, b_boot=turn.now.boot) != 1:
        return
    turn.offered.pop(offer.entry_id, None)
    acd_agents.note_talk(turn, offer, at)
    agent_counts.count_call(turn, offer.agent)
    if serves_one_at_a_time(turn.queue(offer.queue)):
        turn.touched.add(offer.queue)  # the next one may be offered to somebody now
    entry = turn.row(_SERVE_ENTRY, b_entry=offer.entry_id, b_at=at, b_state="talking")
    if entry is not None:
        _tell_joined(turn, offer, entry, at)
    for other in others:
        end_without_talk(turn, other, OfferEnd.TAKEN, at)
    if offer.agent_gone_at is not None:  # its end was told before its beginning
        _end_talk(turn, offer, joined_at=at, at=offer.agent_gone_at)


def note_gone(turn: Turn, offer: Row[Any], at: float, *, by: str = "", is_estimated: bool = False) -> None:
    """The agent's leg has ended. Before a talk, why is the dialplan's to say; after one, that was it.

    by: who ended it, as in `AgentLegEvent.ended_by`. is_estimated: nobody heard when; key figures leave the length
    of such a talk out.
    """
    if offer.state == OfferState.TALKING:
        _end_talk(turn, offer, joined_at=offer.joined_at, at=at, by=by, is_estimated=is_estimated)
    elif offer.state != OfferState.ENDED:
        turn.run(_NOTE_GONE, b_offer=offer.offer_id, b_at=at, b_boot=turn.now.boot)


# -- the end --


def settle_offer(turn: Turn, offer: Row[Any], result: OfferResult) -> None:
    """What the dialplan says came of it. Whatever it says, a talk the observer has seen was one."""
    if offer.state == OfferState.ENDED:
        if result.end is OfferEnd.SERVED:
            _serve_after_all(turn, offer, result)
    elif offer.state == OfferState.TALKING or result.end is OfferEnd.SERVED or result.joined_at is not None:
        joined_at = result.ended_at if result.joined_at is None else result.joined_at
        note_joined(turn, offer, joined_at)
        close_entry(turn, offer.entry_id)
        # A transfer ends the dialling and not the agent's leg. But if no event tells of the leg's end, because no
        # worker was there to hear it, this was it as nearly as anybody knows.
        turn.run(_NOTE_GONE, b_offer=offer.offer_id, b_at=result.ended_at, b_boot=turn.now.boot)
    else:
        end_without_talk(turn, offer, result.end, result.ended_at)


def end_open_offers(turn: Turn, entry_id: str, end: OfferEnd, at: float) -> None:
    """Nobody is to be rung for the caller any more."""
    for offer in open_offers_of(turn, entry_id):
        end_without_talk(turn, offer, end, max(at, offer.made_at))


def end_without_talk(turn: Turn, offer: Row[Any], end: OfferEnd, at: float) -> None:
    """The agent is free, or rests. The caller waits again, in the old place, unless somebody else is rung for them
    still. In a talk it says nothing new.
    """
    if offer_after(OfferState(offer.state), OfferFact.FAILED) is None:
        return
    if turn.run(_END, b_offer=offer.offer_id, b_end=end.value, b_at=at, b_talk_ended_at=None) != 1:
        return
    turn.tell_offer("offer_ended", offer, at, end=end.value, ring_s=_ring_s(offer, at))
    if not open_offers_of(turn, offer.entry_id):
        turn.offered.pop(offer.entry_id, None)
        give_back(turn, offer.entry_id)
    if end in RONA:
        acd_needs.note_refusal(turn, offer.entry_id, offer.agent)
    acd_agents.note_failed_offer(turn, offer, end, at)
    turn.touched.add(offer.queue)


def close_entry(turn: Turn, entry_id: str) -> None:
    """The caller is not in the talk any more; leaving the queue was noted when it began."""
    turn.run(_CLOSE_ENTRY, b_entry=entry_id)


def _end_talk(
    turn: Turn, offer: Row[Any], *, joined_at: float, at: float, by: str = "", is_estimated: bool = False
) -> None:
    at = max(at, joined_at)
    known = ({"by": by} if by else {}) | ({"estimated": True} if is_estimated else {})
    turn.run(_END, b_offer=offer.offer_id, b_end=OfferEnd.SERVED.value, b_at=at, b_talk_ended_at=at)
    close_entry(turn, offer.entry_id)
    turn.tell_offer("talk_ended", offer, at, talk_s=at - joined_at, **known)
    turn.tell_offer("offer_ended", offer, at, end=OfferEnd.SERVED.value, ring_s=_ring_s(offer, joined_at))
    agent_counts.count_talk(turn, offer.agent, at - joined_at, at)
    if turn.queue(offer.queue).at_most:
        turn.touched.add(offer.queue)
    acd_agents.note_talk_end(turn, offer, at)


def _serve_after_all(turn: Turn, offer: Row[Any], result: OfferResult) -> None:
    """The offer had been given up, and they talked all the same. If nobody has taken the call back since, it is
    served; if somebody has, the caller waits again and must be left in peace.
    """
    joined_at = result.ended_at if result.joined_at is None else result.joined_at
    if open_offers_of(turn, offer.entry_id) or not _is_held_as_before(turn, offer):
        return
    entry = turn.row(_SERVE_ENTRY, b_entry=offer.entry_id, b_at=joined_at, b_state="left")
    if entry is not None:
        _tell_joined(turn, offer, entry, joined_at)


def _tell_joined(turn: Turn, offer: Row[Any], entry: Row[Any], at: float) -> None:
    wait_s = max(0.0, at - entry.entered_at)
    turn.tell_offer("joined", offer, at, wait_s=wait_s, leg=offer.agent_leg_id)
    turn.tell_entry("left_queue", entry, at, because="served", wait_s=wait_s)


def _is_held_as_before(turn: Turn, offer: Row[Any]) -> bool:
    entry = turn.row(_FENCE, b_entry=offer.entry_id)
    return entry is not None and entry.fence == offer.fence


def _ring_s(offer: Row[Any], ended_at: float) -> float:
    """How long the phone rang: until it was picked up, or the end."""
    if offer.ringing_at is None:
        return 0.0
    until = ended_at if offer.answered_at is None else offer.answered_at
    return float(max(0.0, until - offer.ringing_at))
