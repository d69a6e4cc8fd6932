"""The life of an offer in the store: made, ringing, answered, talking, ended.

A caller has one open offer, or, where all agents are rung at once, several: the first of them to be joined has the
call, and the others have ended with that (`taken`).

Called by `AcdStore` in its transactions. Facts come in any order, twice or never: the table in `acd/transitions.py`
says which of them is news. Ending an offer gives the caller back to the queue and the agent back to the floor.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from cordboard.acd.model import RONA, OfferEnd, OfferResult, OfferState
from cordboard.acd.strategies.compat import serves_one_at_a_time
from cordboard.acd.transitions import OfferFact, offer_after
from cordboard.store import acd_agents, acd_needs, agent_counts
from cordboard.store.acd_values import OfferToRing
from cordboard.store.state_conditions import HANDED_OUT, IN_LINE, OPEN_OFFER, UNRUNG
from cordboard.store.tables import offers, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.ports import AgentLegEvent

RING_BY_S = 0.5  # a worker that has not rung the phone by then is not going to

_this = offers.c.offer_id == bindparam("b_offer")
_its_entry = queue_entries.c.entry_id == bindparam("b_entry")

_FIND = select(offers).where(_this)
_its_caller = select(queue_entries.c.fence).where(
    queue_entries.c.entry_id == offers.c.entry_id, IN_LINE, queue_entries.c.owner == bindparam("b_owner")
)
_HANDED_OUT = (  # to the worker that holds the caller still, who therefore has not rung it
    # The caller is asked for offer by offer: in a join both databases would begin with all callers of the worker.
    select(
        offers, _its_caller.with_only_columns(queue_entries.c.language).scalar_subquery().label("language")
    ).where(HANDED_OUT, offers.c.agent_gone_at.is_(None), offers.c.fence == _its_caller.scalar_subquery())
)
_OPEN_OF_ENTRY = (
    select(offers).where(OPEN_OFFER, offers.c.entry_id == bindparam("b_entry")).order_by(offers.c.agent)
)
_MAKE = insert(offers)
_UNRUNG_OF = (
    select(offers, queue_entries.c.language)
    .join(queue_entries, queue_entries.c.entry_id == offers.c.entry_id)
    .where(UNRUNG, queue_entries.c.owner == bindparam("b_owner"))
)
_UNRUNG_DUE = select(offers).where(UNRUNG, offers.c.ring_by <= bindparam("b_boot"))
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
_OFFER_ENTRY = update(queue_entries).where(_its_entry, queue_entries.c.state == "waiting").values(state="offered")
_RETURN_ENTRY = update(queue_entries).where(_its_entry, queue_entries.c.state == "offered").values(state="waiting")
_SERVE_ENTRY = (
    update(queue_entries)
    .where(_its_entry, queue_entries.c.state.in_(("waiting", "offered")))
    .values(state=bindparam("b_state"), left_at=bindparam("b_at"), left_because="served")
    .returning(queue_entries)
)
_CLOSE_ENTRY = update(queue_entries).where(_its_entry, queue_entries.c.state == "talking").values(state="left")
_FENCE = select(queue_entries.c.fence).where(_its_entry)
_holding = queue_entries.alias("holding")
_DISTRUST_OWNER = (
    update(queue_entries)
    .where(
        IN_LINE,
        queue_entries.c.owner
        == select(_holding.c.owner).where(_holding.c.entry_id == bindparam("b_entry")).scalar_subquery(),
        queue_entries.c.lease_until > bindparam("b_boot"),
    )
    .values(lease_until=bindparam("b_boot"))
)


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """What an offer needs of the caller it is made to. fence: counts who held the call."""

    entry_id: str
    call_id: str
    queue: str
    owner: str
    fence: int
    party_ref: str


@dataclass(frozen=True, slots=True)
class _NewOffer:
    offer_id: str
    entry_id: str
    call_id: str
    queue: str
    agent: str
    party_ref: str


def find_offer(turn: Turn, offer_id: str) -> Row[Any] | None:
    """The offer's row."""
    return turn.row(_FIND, b_offer=offer_id)


def open_offers_of(turn: Turn, entry_id: str) -> list[Row[Any]]:
    """The caller's open offers: one, or several where all agents are rung at once."""
    return turn.rows(_OPEN_OF_ENTRY, b_entry=entry_id)


# -- making --


def make_offers(turn: Turn, entry: WaitingEntry, agents: Collection[str], reason: str) -> int:
    """Give the caller to these agents, of whom one will get the call; how many of them were still free.

    Nobody, if the caller is taken (another database client was faster).
    """
    if turn.run(_OFFER_ENTRY, b_entry=entry.entry_id) != 1:
        return 0
    made = sum(_make(turn, entry, agent, reason) for agent in agents)
    if made == 0:
        turn.run(_RETURN_ENTRY, b_entry=entry.entry_id)
    return made


def _make(turn: Turn, entry: WaitingEntry, agent: str, reason: str) -> bool:
    new = _NewOffer(new_call_id(), entry.entry_id, entry.call_id, entry.queue, agent, entry.party_ref)
    if not acd_agents.claim(turn, agent, new.offer_id):
        return False
    turn.run(_MAKE, **_row(turn, new, entry.fence, reason))
    turn.offered[entry.entry_id] = entry.owner
    turn.tell_offer("offer_made", new, turn.now.wall, reason=reason)
    return True


def _row(turn: Turn, new: _NewOffer, fence: int, reason: str) -> dict[str, Any]:
    return {
        "offer_id": new.offer_id,
        "entry_id": new.entry_id,
        "call_id": new.call_id,
        "queue": new.queue,
        "agent": new.agent,
        "party_ref": new.party_ref,
        "state": OfferState.OFFERED.value,
        "reason": reason,
        "fence": fence,
        "made_at": turn.now.wall,
        "ring_by": turn.now.boot + RING_BY_S,
        "changed_boot": turn.now.boot,
        "disposition": "",
        "note": "",
        "agent_leg_id": "",
    }


# -- ringing --


def unrung_offers(turn: Turn, owner: str) -> list[Row[Any]]:
    """The offers this worker has to ring, each with the `language` of its caller."""
    return turn.rows(_UNRUNG_OF, b_owner=owner)


def ring_offers(turn: Turn, owner: str, call_ids: Collection[str]) -> list[OfferToRing]:
    """Mark the worker's unrung offers to these callers as ringing. What cannot be rung any more is withdrawn.

    Those marked before, of which nobody has said anything since, are among them: the answer was lost on its way.
    One for each caller; whoever else is to be rung for them at the same time is in its `also`.
    """
    by_entry: dict[str, list[OfferToRing]] = {}
    for row in (*unrung_offers(turn, owner), *turn.rows(_HANDED_OUT, b_owner=owner)):
        if row.call_id in call_ids and (offer := _to_ring(turn, row)) is not None:
            by_entry.setdefault(row.entry_id, []).append(offer)
    return [replace(first, also=tuple(more)) for first, *more in by_entry.values()]


def _to_ring(turn: Turn, offer: Row[Any]) -> OfferToRing | None:
    agent = turn.plan.agents.get(offer.agent)
    if agent is None:  # a reload has taken the agent away since
        end_without_talk(turn, offer, OfferEnd.WITHDRAWN, turn.now.wall)
        return None
    note_ringing(turn, offer, turn.now.wall)
    return OfferToRing(
        offer.offer_id, offer.call_id, offer.entry_id, offer.agent, agent.device, offer.queue, offer.language
    )


def note_ringing(turn: Turn, offer: Row[Any], at: float) -> None:
    """The phone rings, or is about to."""
    if offer_after(OfferState(offer.state), OfferFact.RUNG) is None:
        return
    turn.run(_RING, b_offer=offer.offer_id, b_at=at, b_boot=turn.now.boot)
    turn.offered.pop(offer.entry_id, None)
    turn.tell_offer("offer_ringing", offer, at)
    acd_agents.note_ringing(turn, offer, at)


def withdraw_unrung(turn: Turn) -> None:
    """Take back what was not rung in time. Its worker gets no other offer until it shows itself again."""
    for offer in turn.rows(_UNRUNG_DUE, b_boot=turn.now.boot):
        turn.run(_DISTRUST_OWNER, b_entry=offer.entry_id, b_boot=turn.now.boot)
        end_without_talk(turn, offer, OfferEnd.WITHDRAWN, turn.now.wall)


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
        turn.run(_RETURN_ENTRY, b_entry=offer.entry_id)
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
