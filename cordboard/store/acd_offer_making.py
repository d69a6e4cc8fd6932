"""Offers are made to agents, and handed to the workers that hold the callers, who have the phones rung. What no
worker rings is taken back.

Called by `acd_matching` and `AcdStore` in their transactions. What becomes of an offer then is `acd_offers`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from cordboard.acd.model import OfferEnd, OfferState
from cordboard.store import acd_agents, acd_contacts, acd_offers
from cordboard.store.acd_values import OfferToRing
from cordboard.store.state_conditions import HANDED_OUT, IN_LINE, UNRUNG
from cordboard.store.tables import offers, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.call_id import new_call_id

RING_BY_S = 0.5  # a worker that has not rung the phone by then is not going to

_its_caller = select(queue_entries.c.fence).where(
    queue_entries.c.entry_id == offers.c.entry_id, IN_LINE, queue_entries.c.owner == bindparam("b_owner")
)
_HANDED_OUT = (  # to the worker that holds the caller still, who therefore has not rung it
    # The caller is asked for offer by offer: in a join both databases would begin with all callers of the worker.
    select(
        offers,
        _its_caller.with_only_columns(queue_entries.c.language).scalar_subquery().label("language"),
        _its_caller.with_only_columns(queue_entries.c.switch).scalar_subquery().label("switch"),
    ).where(HANDED_OUT, offers.c.agent_gone_at.is_(None), offers.c.fence == _its_caller.scalar_subquery())
)
_MAKE = insert(offers)
_UNRUNG_OF = (
    select(offers, queue_entries.c.language, queue_entries.c.switch)
    .join(queue_entries, queue_entries.c.entry_id == offers.c.entry_id)
    .where(UNRUNG, queue_entries.c.owner == bindparam("b_owner"))
)
_UNRUNG_DUE = select(offers).where(UNRUNG, offers.c.ring_by <= bindparam("b_boot"))
_OFFER_ENTRY = (
    update(queue_entries)
    .where(queue_entries.c.entry_id == bindparam("b_entry"), queue_entries.c.state == "waiting")
    .values(state="offered")
)
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


# -- making --


def make_offers(turn: Turn, entry: WaitingEntry, agents: Collection[str], reason: str) -> int:
    """Give the caller to these agents, of whom one will get the call; how many of them were still free.

    Nobody, if the caller is taken (another database client was faster).
    """
    if turn.run(_OFFER_ENTRY, b_entry=entry.entry_id) != 1:
        return 0
    made = sum(_make(turn, entry, agent, reason) for agent in agents)
    if made == 0:
        acd_offers.give_back(turn, entry.entry_id)
    return made


def _make(turn: Turn, entry: WaitingEntry, agent: str, reason: str) -> bool:
    new = _NewOffer(new_call_id(), entry.entry_id, entry.call_id, entry.queue, agent, entry.party_ref)
    if not acd_agents.claim(turn, agent, new.offer_id, turn.queue(entry.queue).contact):
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
        "slot": acd_contacts.slot_of(turn.queue(new.queue), new.offer_id),
    }


# -- ringing --


def unrung_offers(turn: Turn, owner: str) -> list[Row[Any]]:
    """The offers this worker has to ring, each with the `language` and the `switch` of its caller."""
    return turn.rows(_UNRUNG_OF, b_owner=owner)


def ring_offers(turn: Turn, owner: str, call_ids: Collection[str], *, again: bool = True) -> list[OfferToRing]:
    """Mark the worker's unrung offers to these callers as ringing. What cannot be rung any more is withdrawn.

    again: those marked before, of which nobody has said anything since, are among them: the answer was lost on its
    way. One for each caller; whoever else is to be rung for them at the same time is in its `also`.
    """
    by_entry: dict[str, list[OfferToRing]] = {}
    lost = turn.rows(_HANDED_OUT, b_owner=owner) if again else []
    for row in (*unrung_offers(turn, owner), *lost):
        if row.call_id in call_ids and (offer := _to_ring(turn, row)) is not None:
            by_entry.setdefault(row.entry_id, []).append(offer)
    return [replace(first, also=tuple(more)) for first, *more in by_entry.values()]


def _to_ring(turn: Turn, offer: Row[Any]) -> OfferToRing | None:
    agent = turn.plan.agents.get(offer.agent)
    device = agent.rung_from(offer.switch) if agent is not None else ""
    if not device:  # a reload has taken the agent away since, or the way to their phone
        acd_offers.end_without_talk(turn, offer, OfferEnd.WITHDRAWN, turn.now.wall)
        return None
    acd_offers.note_ringing(turn, offer, turn.now.wall)
    return OfferToRing(
        offer.offer_id, offer.call_id, offer.entry_id, offer.agent, device, offer.queue, offer.language
    )


def withdraw_unrung(turn: Turn) -> None:
    """Take back what was not rung in time. Its worker gets no other offer until it shows itself again."""
    for offer in turn.rows(_UNRUNG_DUE, b_boot=turn.now.boot):
        turn.run(_DISTRUST_OWNER, b_entry=offer.entry_id, b_boot=turn.now.boot)
        acd_offers.end_without_talk(turn, offer, OfferEnd.WITHDRAWN, turn.now.wall)
