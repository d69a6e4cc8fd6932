"""What agents do, in the store: presence as they choose it, activity as their offers have it, rest and wrap-up.

Called by `AcdStore` and by the functions on offers, in their transactions. `activity` changes by the table in
`acd/transitions.py` only, and only on behalf of the offer the agent has.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from cordboard.acd.model import RONA, Activity, OfferEnd, Presence
from cordboard.acd.transitions import ActivityFact, activity_after
from cordboard.store.state_conditions import WRAPPING_UP
from cordboard.store.tables import agent_states, offers
from cordboard.store.turn import Turn

RONA_REASON = "rona"  # why an agent is paused who did not take their calls
FAILED_REST_S = 1.0  # a device the switch cannot ring is not tried again in a tight loop

_its_offer = (agent_states.c.agent == bindparam("b_agent"), agent_states.c.offer_id == bindparam("b_offer"))

_FIND = select(agent_states).where(agent_states.c.agent == bindparam("b_agent"))
_NEW = insert(agent_states).on_conflict_do_nothing(index_elements=[agent_states.c.agent])
_CLAIM = (
    update(agent_states)
    .where(agent_states.c.agent == bindparam("b_agent"), agent_states.c.activity == Activity.IDLE.value)
    .values(activity=Activity.OFFERED.value, activity_since_at=bindparam("b_at"), offer_id=bindparam("b_offer"))
)
_MOVE = (
    update(agent_states)
    .where(*_its_offer)
    .values(activity=bindparam("b_activity"), activity_since_at=bindparam("b_at"))
)
_TALK = _MOVE.values(rona_in_a_row=0)
_WRAP_UP = _MOVE.values(wrap_up_until=bindparam("b_until"))
_RELEASE = _MOVE.values(
    offer_id=None,
    wrap_up_until=None,
    idle_since_at=bindparam("b_idle_since"),
    blocked_until=bindparam("b_blocked"),
    rona_in_a_row=bindparam("b_in_a_row"),
)
_LOGGED_IN = select(agent_states.c.agent).where(agent_states.c.presence != Presence.LOGGED_OUT.value)
_CHOOSE = (
    update(agent_states)
    .where(agent_states.c.agent == bindparam("b_agent"))
    .values(
        presence=bindparam("b_presence"),
        presence_reason=bindparam("b_reason"),
        presence_since_at=bindparam("b_at"),
    )
)
_CHOOSE_AVAILABLE = _CHOOSE.values(idle_since_at=bindparam("b_at"), blocked_until=0.0, rona_in_a_row=0)
_WRAP_UPS_DUE = select(agent_states).where(WRAPPING_UP, agent_states.c.wrap_up_until <= bindparam("b_boot"))
_NOTE_WRAP_UP_END = (
    update(offers)
    .where(offers.c.offer_id == bindparam("b_offer"))
    .values(wrap_up_ended_at=bindparam("b_at"))
    .returning(offers)
)


def find_agent(turn: Turn, agent: str) -> Row[Any] | None:
    """The agent's row; None for one who has never logged in."""
    return turn.row(_FIND, b_agent=agent)


# -- presence --


def set_presence(turn: Turn, agent: str, presence: Presence, reason: str) -> None:
    """What an agent has chosen. What they are doing goes on. Raises ValueError for an unknown agent or reason."""
    if agent not in turn.plan.agents:
        raise ValueError(f"there is no agent {agent}")
    if presence is not Presence.PAUSED:
        reason = ""
    elif reason and reason not in turn.plan.pause_reasons:
        raise ValueError(f"{reason!r} is no reason to pause; there are: {', '.join(turn.plan.pause_reasons)}")
    row = find_agent(turn, agent)
    if row is None:
        turn.run(_NEW, **_logged_out(agent, turn.now.wall))
    elif (row.presence, row.presence_reason) == (presence, reason):
        return
    _choose(turn, agent, presence, reason)


def log_out_unknown(turn: Turn) -> list[str]:
    """Log out those who are in the plan no more; their names."""
    agents = [row.agent for row in turn.rows(_LOGGED_IN) if row.agent not in turn.plan.agents]
    for agent in agents:
        _choose(turn, agent, Presence.LOGGED_OUT, "")
    return agents


def _choose(turn: Turn, agent: str, presence: Presence, reason: str) -> None:
    is_available = presence is Presence.AVAILABLE
    turn.run(
        _CHOOSE_AVAILABLE if is_available else _CHOOSE,
        b_agent=agent,
        b_presence=presence.value,
        b_reason=reason,
        b_at=turn.now.wall,
    )
    turn.tell_agent("presence_changed", agent, presence=presence.value, reason=reason)
    turn.may_match |= is_available


def _logged_out(agent: str, at: float) -> dict[str, Any]:
    return {
        "agent": agent,
        "presence": Presence.LOGGED_OUT.value,
        "presence_reason": "",
        "presence_since_at": at,
        "activity": Activity.IDLE.value,
        "activity_since_at": at,
        "offer_id": None,
        "idle_since_at": at,
        "blocked_until": 0.0,
        "wrap_up_until": None,
        "rona_in_a_row": 0,
    }


# -- activity --


def claim(turn: Turn, agent: str, offer_id: str) -> bool:
    """Give an idle agent an offer. False if they were not idle any more."""
    return turn.run(_CLAIM, b_agent=agent, b_offer=offer_id, b_at=turn.now.wall) == 1


def note_ringing(turn: Turn, offer: Row[Any], at: float) -> None:
    """The agent's phone rings."""
    if (agent := _holder(turn, offer)) is not None:
        _move(turn, agent, ActivityFact.RUNG, at)


def note_talk(turn: Turn, offer: Row[Any], at: float) -> None:
    """The agent talks: whatever offers failed before are forgiven."""
    if (agent := _holder(turn, offer)) is not None:
        _move(turn, agent, ActivityFact.JOINED, at, _TALK)


def note_talk_end(turn: Turn, offer: Row[Any], at: float) -> None:
    """Wrap-up begins; where the queue has none, it ends at once."""
    if (agent := _holder(turn, offer)) is None:
        return
    wrap_up_s = turn.queue(offer.queue).wrap_up_s
    late_s = max(0.0, turn.now.wall - at)  # the database may have been locked since
    _move(turn, agent, ActivityFact.TALK_ENDED, at, _WRAP_UP, b_until=turn.now.boot + wrap_up_s - late_s)
    if wrap_up_s <= 0 and (wrapping_up := _holder(turn, offer)) is not None:
        end_wrap_up(turn, wrapping_up, at)


def end_wrap_up(turn: Turn, agent: Row[Any], at: float) -> None:
    """Idle again, and last in the line of those who wait for calls."""
    offer = turn.row(_NOTE_WRAP_UP_END, b_offer=agent.offer_id, b_at=at)
    if offer is not None:
        wrap_up_s = max(0.0, at - offer.talk_ended_at)
        turn.tell_offer("wrap_up_ended", offer, at, wrap_up_s=wrap_up_s, disposition=offer.disposition)
    _release(turn, agent, ActivityFact.WRAP_UP_OVER, at, idle_since=at, in_a_row=agent.rona_in_a_row)


def end_wrap_ups_due(turn: Turn) -> None:
    """End those whose time is over, as of when it was."""
    for agent in turn.rows(_WRAP_UPS_DUE, b_boot=turn.now.boot):
        late_s = turn.now.boot - agent.wrap_up_until if agent.wrap_up_until else 0.0  # 0.0: of an earlier boot
        end_wrap_up(turn, agent, turn.now.wall - late_s)


def note_failed_offer(turn: Turn, offer: Row[Any], end: OfferEnd, at: float) -> None:
    """Idle again. If it was their doing they rest, go to the end of the line, and are paused after too many."""
    agent = _holder(turn, offer)
    if agent is None:
        return
    is_rona = end in RONA
    in_a_row = agent.rona_in_a_row + is_rona
    _release(
        turn,
        agent,
        ActivityFact.OFFER_FAILED,
        at,
        idle_since=at if is_rona else agent.idle_since_at,
        in_a_row=in_a_row,
        rest_s=_rest_s(turn, offer, end),
    )
    pause_after = turn.queue(offer.queue).rona.pause_after
    if is_rona and 0 < pause_after <= in_a_row and agent.presence == Presence.AVAILABLE:
        turn.tell_offer("agent_paused_by_rona", offer, at, in_a_row=in_a_row)
        _choose(turn, offer.agent, Presence.PAUSED, RONA_REASON)


def _rest_s(turn: Turn, offer: Row[Any], end: OfferEnd) -> float:
    retry_after_s = turn.queue(offer.queue).rona.retry_after_s
    if end is OfferEnd.FAILED:
        return max(retry_after_s, FAILED_REST_S)
    return retry_after_s if end in RONA else 0.0


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
    in_a_row: int,
    rest_s: float = 0.0,
) -> None:
    blocked = turn.now.boot + rest_s if rest_s > 0 else 0.0
    _move(turn, agent, fact, at, _RELEASE, b_idle_since=idle_since, b_blocked=blocked, b_in_a_row=in_a_row)
    turn.may_match = True
