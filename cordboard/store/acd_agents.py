"""What agents do, in the store: activity as their offers have it, rest and wrap-up.

Called by `AcdStore` and by the functions on offers, in their transactions. `activity` changes by the table in
`acd/transitions.py` only, and only on behalf of the offer the agent has.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from cordboard.acd.capacity import Contact
from cordboard.acd.model import Activity, OfferEnd, Presence
from cordboard.acd.rona import RonaCounts, after_failed_offer
from cordboard.acd.transitions import ActivityFact, activity_after
from cordboard.acd.wrap_up import extension_s, length_s
from cordboard.store import acd_contacts
from cordboard.store.acd_presence import count_pause_anew, find_agent, pause_for_rona
from cordboard.store.state_conditions import WRAPPING_UP
from cordboard.store.tables import agent_states, offers
from cordboard.store.turn import Turn

_its_offer = (agent_states.c.agent == bindparam("b_agent"), agent_states.c.offer_id == bindparam("b_offer"))

_CLAIM = (
    update(agent_states)
    .where(agent_states.c.agent == bindparam("b_agent"), agent_states.c.activity == bindparam("b_activity"))
    .values(
        activity=Activity.OFFERED.value,
        activity_since_at=bindparam("b_at"),
        offer_id=bindparam("b_offer"),
        last_offered_at=bindparam("b_at"),
    )
)
_MOVE = (
    update(agent_states)
    .where(*_its_offer)
    .values(activity=bindparam("b_activity"), activity_since_at=bindparam("b_at"))
)
_RETURN = _MOVE.values(offer_id=bindparam("b_other"))
_RETURN_AFTER_FAILURE = _RETURN.values(
    blocked_until=bindparam("b_blocked"), rona_in_a_row=bindparam("b_in_a_row"), rona_counts=bindparam("b_counts")
)
_TALK = _MOVE.values(rona_in_a_row=0, rona_counts="{}")
_WRAP_UP = _MOVE.values(wrap_up_until=bindparam("b_until"), wrap_up_extended_s=0.0)
_EXTEND = (
    update(agent_states)
    .where(*_its_offer)
    .values(
        wrap_up_until=agent_states.c.wrap_up_until + bindparam("b_more_s"),
        wrap_up_extended_s=agent_states.c.wrap_up_extended_s + bindparam("b_more_s"),
    )
)
_RELEASE = _MOVE.values(
    offer_id=None,
    wrap_up_until=None,
    idle_since_at=bindparam("b_idle_since"),
    blocked_until=bindparam("b_blocked"),
    rona_in_a_row=bindparam("b_in_a_row"),
    rona_counts=bindparam("b_counts"),
)
_WRAP_UPS_DUE = select(agent_states).where(WRAPPING_UP, agent_states.c.wrap_up_until <= bindparam("b_boot"))
_NOTE_WRAP_UP_END = (
    update(offers)
    .where(offers.c.offer_id == bindparam("b_offer"))
    .values(wrap_up_ended_at=bindparam("b_at"))
    .returning(offers)
)


# -- activity --


def claim(turn: Turn, agent: str, offer_id: str, wanted: Contact) -> bool:
    """Give an offer to an agent who is idle, or has room for it beside a talk. False if they could not have it any
    more.
    """
    if _claim(turn, agent, offer_id, Activity.IDLE):
        return True
    return acd_contacts.has_room_for(turn, agent, wanted) and _claim(turn, agent, offer_id, Activity.TALKING)


def _claim(turn: Turn, agent: str, offer_id: str, activity: Activity) -> bool:
    return turn.run(_CLAIM, b_agent=agent, b_offer=offer_id, b_at=turn.now.wall, b_activity=activity.value) == 1


def note_ringing(turn: Turn, offer: Row[Any], at: float) -> None:
    """The agent's phone rings."""
    if (agent := _holder(turn, offer)) is not None:
        _move(turn, agent, ActivityFact.RUNG, at)


def note_talk(turn: Turn, offer: Row[Any], at: float) -> None:
    """The agent talks: whatever offers failed before are forgiven."""
    if (agent := _holder(turn, offer)) is not None:
        _move(turn, agent, ActivityFact.JOINED, at, _TALK)
        if turn.plan.has_room_beside:
            turn.agent_is_free(offer.agent)


def note_talk_end(turn: Turn, offer: Row[Any], at: float) -> None:
    """Wrap-up begins; where the queue has none, it ends at once. Whatever else they talk about goes on instead."""
    if turn.plan.has_room_beside:
        turn.agent_is_free(offer.agent)
    if (agent := _holder(turn, offer)) is None:
        return
    if (other := acd_contacts.other_talk(turn, agent.agent, offer.offer_id)) is not None:
        _move(turn, agent, ActivityFact.BACK_TO_TALK, at, _RETURN, b_other=other)
        return
    wrap_up_s = length_s(turn.queue(offer.queue), offer.disposition)
    late_s = max(0.0, turn.now.wall - at)  # the database may have been locked since
    until = None if wrap_up_s is None else turn.now.boot + wrap_up_s - late_s
    _move(turn, agent, ActivityFact.TALK_ENDED, at, _WRAP_UP, b_until=until)
    if wrap_up_s is not None and wrap_up_s <= 0 and (wrapping_up := _holder(turn, offer)) is not None:
        end_wrap_up(turn, wrapping_up, at)


def end_wrap_up(turn: Turn, agent: Row[Any], at: float) -> None:
    """Idle again, and last in the line of those who wait for calls."""
    offer = turn.row(_NOTE_WRAP_UP_END, b_offer=agent.offer_id, b_at=at)
    if offer is not None:
        wrap_up_s = max(0.0, at - offer.talk_ended_at)
        turn.tell_offer("wrap_up_ended", offer, at, wrap_up_s=wrap_up_s, disposition=offer.disposition)
    _release(turn, agent, ActivityFact.WRAP_UP_OVER, at, idle_since=at, counts=_rona_counts(agent))


def extend_wrap_up(turn: Turn, agent: Row[Any], queue: str) -> None:
    """More time for the agent who wraps up a call of this queue. Raises WrapUpRefused."""
    more_s = extension_s(turn.queue(queue), agent.wrap_up_extended_s)
    turn.run(_EXTEND, b_agent=agent.agent, b_offer=agent.offer_id, b_more_s=more_s)
    turn.changed = True


def end_wrap_ups_due(turn: Turn) -> None:
    """End those whose time is over, as of when it was."""
    for agent in turn.rows(_WRAP_UPS_DUE, b_boot=turn.now.boot):
        late_s = turn.now.boot - agent.wrap_up_until if agent.wrap_up_until else 0.0  # 0.0: of an earlier boot
        end_wrap_up(turn, agent, turn.now.wall - late_s)


def note_failed_offer(turn: Turn, offer: Row[Any], end: OfferEnd, at: float) -> None:
    """Idle again. What it means for them beside that, if it was their doing, is the queue's policy."""
    agent = _holder(turn, offer)
    if agent is None:
        return
    follows = after_failed_offer(turn.queue(offer.queue).rona, end, _rona_counts(agent))
    _release(
        turn,
        agent,
        ActivityFact.OFFER_FAILED,
        at,
        idle_since=at if follows.goes_last else agent.idle_since_at,
        counts=follows.counts,
        rest_s=follows.rest_s,
    )
    if follows.pauses and agent.presence == Presence.AVAILABLE:
        turn.tell_offer("agent_paused_by_rona", offer, at, in_a_row=follows.pauses)
        pause_for_rona(turn, offer.agent, follows.return_after_s)


def _rona_counts(agent: Row[Any]) -> RonaCounts:
    return RonaCounts(agent.rona_in_a_row, json.loads(agent.rona_counts))


def _holder(turn: Turn, offer: Row[Any]) -> Row[Any] | None:
    """The agent, if this is still the offer they are busy with."""
    agent = find_agent(turn, offer.agent)
    return agent if agent is not None and agent.offer_id == offer.offer_id else None


def _move(
    turn: Turn, agent: Row[Any], fact: ActivityFact, at: float, statement: Any = _MOVE, **values: Any
) -> None:
    activity = activity_after(Activity(agent.activity), fact)
    if activity is not None:
        turn.run(
            statement, b_agent=agent.agent, b_offer=agent.offer_id, b_activity=activity.value, b_at=at, **values
        )


def _release(
    turn: Turn,
    agent: Row[Any],
    fact: ActivityFact,
    at: float,
    *,
    idle_since: float,
    counts: RonaCounts,
    rest_s: float = 0.0,
) -> None:
    after = {
        "b_blocked": turn.now.boot + rest_s if rest_s > 0 else 0.0,
        "b_in_a_row": counts.in_a_row,
        "b_counts": json.dumps(counts.by_cause),
    }
    if (other := acd_contacts.other_talk(turn, agent.agent, agent.offer_id)) is not None:
        _move(turn, agent, ActivityFact.BACK_TO_TALK, at, _RETURN_AFTER_FAILURE, b_other=other, **after)
    else:
        _move(turn, agent, fact, at, _RELEASE, b_idle_since=idle_since, **after)
        count_pause_anew(turn, agent)
    turn.agent_is_free(agent.agent)
