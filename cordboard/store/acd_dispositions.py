"""What came of a call, as its agent says. Called by `AcdStore`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, update

from cordboard.acd.model import Activity
from cordboard.store import acd_agents, acd_offers
from cordboard.store.tables import offers
from cordboard.store.turn import Turn

_KEEP = (
    update(offers)
    .where(offers.c.offer_id == bindparam("b_offer"))
    .values(disposition=bindparam("b_disposition"), note=bindparam("b_note"))
)


def dispose(turn: Turn, agent: str, offer_id: str, disposition: str, note: str) -> None:
    """Keep it, and end the wrap-up if the agent is in that of this call. Raises ValueError."""
    offer = _talk_of(turn, agent, offer_id)
    _check(turn, offer, disposition)
    if (offer.disposition, offer.note) != (disposition, note):
        turn.run(_KEEP, b_offer=offer_id, b_disposition=disposition, b_note=note)
        turn.changed = True
    if disposition and offer.disposition != disposition:
        turn.tell_offer_again("disposition_set", offer, disposition=disposition)
    row = acd_agents.find_agent(turn, agent)
    if row is not None and row.activity == Activity.WRAP_UP and row.offer_id == offer_id:
        acd_agents.end_wrap_up(turn, row, turn.now.wall)


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
