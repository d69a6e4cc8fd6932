"""What agents have at a time, in the store: whether there is room beside it, and what an agent goes back to.

Called by `acd_agents` and `acd_matching`, in their transactions. The rules are those of `acd/capacity.py`. Where no
queue has anything that leaves room beside it (calls alone, by default) nothing is read for any of this.

An agent's row follows the latest offer. What they had before goes on in its own row of `offers`, and comes back
into theirs when the latest has ended; only the last of all is followed by a wrap-up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, bindparam, select

from cordboard.acd.capacity import Contact, has_room
from cordboard.acd.model import Activity, AgentState, OfferState, Queue
from cordboard.store.state_conditions import NOT_FREE, OPEN_OFFER
from cordboard.store.tables import devices, offers
from cordboard.store.turn import Turn
from cordboard.telephony.ports import DeviceState

A_CALLS = "voice"  # the slot of every call: the database itself refuses a second one

_OPEN = select(offers.c.offer_id, offers.c.agent, offers.c.queue, offers.c.state).where(OPEN_OFFER)
_OPEN_OF = _OPEN.where(offers.c.agent == bindparam("b_agent")).order_by(
    offers.c.joined_at.desc(), offers.c.offer_id
)
_PHONES = select(devices.c.device, devices.c.state).where(NOT_FREE)


def slot_of(queue: Queue, offer_id: str) -> str:
    """What an offer's row stands in the way of: another call, or nothing."""
    return A_CALLS if queue.medium == "voice" else offer_id


def has_room_for(turn: Turn, agent: str, wanted: Contact) -> bool:
    """Whether the agent can have it beside what they have."""
    known = turn.plan.agents.get(agent)
    if known is None or not turn.plan.has_room_beside:
        return False
    held = [_contact(turn, row) for row in turn.rows(_OPEN_OF, b_agent=agent)]
    return has_room(known.capacity, held, wanted)


def other_talk(turn: Turn, agent: str, offer_id: str) -> str | None:
    """The offer of what the agent talks about besides, the one begun last; None if there is none."""
    if not turn.plan.has_room_beside:
        return None
    talks = (row.offer_id for row in turn.rows(_OPEN_OF, b_agent=agent) if row.state == OfferState.TALKING)
    return next((talk for talk in talks if talk != offer_id), None)


def as_they_are(turn: Turn, states: Sequence[AgentState]) -> list[AgentState]:
    """These agents with what they have, and with what their phones do."""
    held: defaultdict[str, list[Contact]] = defaultdict(list)
    for row in turn.rows(_OPEN):
        held[row.agent].append(_contact(turn, row))
    phones = {row.device: DeviceState(row.state) for row in turn.rows(_PHONES)}
    return [
        replace(
            state,
            held=tuple(held[state.agent]),
            activity=Activity.TALKING if held[state.agent] else Activity.IDLE,
            device=phones.get(turn.plan.agents[state.agent].device, DeviceState.IDLE),
        )
        for state in states
    ]


def _contact(turn: Turn, offer: Row[Any]) -> Contact:
    return turn.queue(offer.queue).contact
