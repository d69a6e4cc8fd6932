"""What came of a call, as its agent says. Called by `AcdStore`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select, update

from cordboard.acd.model import Activity
from cordboard.acd.wrap_up import ends_early
from cordboard.store import acd_agents, acd_offers
from cordboard.store.acd_presence import find_agent
from cordboard.store.tables import offers
from cordboard.store.turn import Turn
from cordboard.telephony.call_id import id_at

LAST_TALK_S = 3600.0  # who says it by telephone may have to hang up, call in and key in who they are first
RINGS_S = (
    3600.0  # no phone rings for so long: whoever has talked since then was offered the call since an hour before
)

_LAST_TALK = (
    select(offers)
    .where(
        offers.c.offer_id >= bindparam("b_made_since"),  # a range of the key: there are years of offers
        offers.c.agent == bindparam("b_agent"),
        offers.c.joined_at >= bindparam("b_since"),
    )
    .order_by(offers.c.joined_at.desc())
    .limit(1)
)
_KEEP = (
    update(offers)
    .where(offers.c.offer_id == bindparam("b_offer"))
    .values(disposition=bindparam("b_disposition"), note=bindparam("b_note"))
)


def dispose(turn: Turn, agent: str, offer_id: str, disposition: str, note: str) -> None:
    """Keep it, and end the wrap-up if this is its call and the queue lets them. Raises ValueError."""
    offer = _talk_of(turn, agent, offer_id)
    _check(turn, offer, disposition)
    row = find_agent(turn, agent)
    wraps_up = row if row is not None and (row.activity, row.offer_id) == (Activity.WRAP_UP, offer_id) else None
    ends = wraps_up is not None and ends_early(turn.queue(offer.queue), disposition)
    if (offer.disposition, offer.note) != (disposition, note):
        turn.run(_KEEP, b_offer=offer_id, b_disposition=disposition, b_note=note)
        turn.changed = True
    if disposition and offer.disposition != disposition:
        turn.tell_offer_again("disposition_set", offer, disposition=disposition)
    if wraps_up is not None and ends:
        acd_agents.end_wrap_up(turn, wraps_up, turn.now.wall)


def dispose_last(turn: Turn, agent: str, disposition: str) -> None:
    """The same of the call they have, or have had last; what was noted with it stays. Raises ValueError."""
    since = turn.now.wall - LAST_TALK_S
    offer = turn.row(_LAST_TALK, b_agent=agent, b_since=since, b_made_since=id_at(since - RINGS_S))
    if offer is None:
        raise ValueError(f"{agent} has not talked with a caller lately")
    dispose(turn, agent, offer.offer_id, disposition, offer.note)


def _talk_of(turn: Turn, agent: str, offer_id: str) -> Row[Any]:
    offer = acd_offers.find_offer(turn, offer_id)
    if offer is None or offer.agent != agent:
        raise ValueError(f"this is no call of {agent}")
    if offer.joined_at is None:
        raise ValueError(f"{agent} has not talked with this caller")
    return offer


def _check(turn: Turn, offer: Row[Any], disposition: str) -> None:
    known = turn.queue(offer.queue).dispositions
    if disposition and disposition not in known:
        raise ValueError(f"{disposition!r} is no disposition of {offer.queue}; there are: {', '.join(known)}")
