"""What agents are, in the store: available, paused for a reason, logged out; as chosen, or as others decide.

Called by `AcdStore` and by `acd_agents`, in their transactions. The rules are those of `acd/presence.py`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, func, select, update

from cordboard.acd.model import Activity, Presence
from cordboard.acd.presence import RONA_REASON, after_pause, check_reason, check_room, pause_rule
from cordboard.store.state_conditions import PAUSED
from cordboard.store.tables import agent_states
from cordboard.store.turn import Turn
from cordboard.store.upserts import insert

BY_SYSTEM = "cordboard"  # who changed a presence when a time was over

_this = agent_states.c.agent == bindparam("b_agent")

_FIND = select(agent_states).where(_this)
_NEW = insert(agent_states).on_conflict_do_nothing(index_elements=[agent_states.c.agent])
_LOGGED_IN = select(agent_states.c.agent).where(agent_states.c.presence != Presence.LOGGED_OUT.value)
_HOW_MANY_AT = (
    select(func.count())
    .select_from(agent_states)
    .where(PAUSED, agent_states.c.presence_reason == bindparam("b_reason"))
)
_CHOOSE = (
    update(agent_states)
    .where(_this)
    .values(
        presence=bindparam("b_presence"),
        presence_reason=bindparam("b_reason"),
        presence_since_at=bindparam("b_at"),
        paused_until=bindparam("b_until"),
        forced_by=bindparam("b_by"),
    )
)
_CHOOSE_AVAILABLE = _CHOOSE.values(
    idle_since_at=bindparam("b_at"), blocked_until=0.0, rona_in_a_row=0, rona_counts="{}"
)
_SET_UNTIL = update(agent_states).where(_this).values(paused_until=bindparam("b_until"))
_PAUSES_DUE = select(agent_states).where(
    PAUSED, agent_states.c.activity == Activity.IDLE.value, agent_states.c.paused_until <= bindparam("b_boot")
)


def find_agent(turn: Turn, agent: str) -> Row[Any] | None:
    """The agent's row; None for one who has never logged in."""
    return turn.row(_FIND, b_agent=agent)


def set_presence(turn: Turn, agent: str, presence: Presence, reason: str) -> None:
    """What an agent has chosen. What they are doing goes on. Raises PresenceRefused."""
    reason = check_reason(turn.plan, agent, presence, reason)
    row = find_agent(turn, agent)
    if _is_already(row, presence, reason):
        return
    if reason:
        check_room(turn.plan, agent, reason, _how_many_at(turn, reason))
    choose(turn, agent, presence, reason, row=row)


def force_presence(turn: Turn, agent: str, presence: Presence, reason: str, by: str) -> None:
    """What somebody else has decided for them, past the limits of pauses. Raises PresenceRefused."""
    reason = check_reason(turn.plan, agent, presence, reason)
    row = find_agent(turn, agent)
    if not _is_already(row, presence, reason):
        choose(turn, agent, presence, reason, by=by, row=row)


def log_out_unknown(turn: Turn) -> list[str]:
    """Log out those who are in the plan no more; their names."""
    agents = [row.agent for row in turn.rows(_LOGGED_IN) if row.agent not in turn.plan.agents]
    for agent in agents:
        choose(turn, agent, Presence.LOGGED_OUT, "", by=BY_SYSTEM)
    return agents


def pause_for_rona(turn: Turn, agent: str, return_after_s: float) -> None:
    """Pause who did not take their calls. return_after_s: until they are available again, 0.0 for never."""
    until = turn.now.boot + return_after_s if return_after_s > 0 else None
    choose(turn, agent, Presence.PAUSED, RONA_REASON, by=BY_SYSTEM, until=until)


def count_pause_anew(turn: Turn, row: Row[Any]) -> None:
    """A pause that was chosen during a call begins with the end of it."""
    if row.presence == Presence.PAUSED and row.presence_reason != RONA_REASON:
        turn.run(
            _SET_UNTIL, b_agent=row.agent, b_until=_ends_at(turn, row.agent, row.presence_reason, row.forced_by)
        )


def end_pauses_due(turn: Turn) -> None:
    """Do what is declared for pauses that have lasted long enough."""
    for row in turn.rows(_PAUSES_DUE, b_boot=turn.now.boot):
        if row.presence_reason == RONA_REASON:
            choose(turn, row.agent, Presence.AVAILABLE, "", by=BY_SYSTEM)
        else:
            _pass_limit(turn, row)


def _pass_limit(turn: Turn, row: Row[Any]) -> None:
    turn.tell_agent("pause_limit_passed", row.agent, reason=row.presence_reason)
    presence = after_pause(pause_rule(turn.plan, row.agent, row.presence_reason).then)
    if presence is None:
        turn.run(_SET_UNTIL, b_agent=row.agent, b_until=None)
    else:
        choose(turn, row.agent, presence, "", by=BY_SYSTEM)


def choose(
    turn: Turn,
    agent: str,
    presence: Presence,
    reason: str,
    *,
    by: str = "",
    until: float | None = None,
    row: Row[Any] | None = None,
) -> None:
    """Write it, without any question. by: who decided it, "" for the agent.

    until: when a pause is over, by the boot clock; None for what the reason's rule says. row: the agent's, if it
    has been read.
    """
    is_available = presence is Presence.AVAILABLE
    before = _told_before(turn, row or _row_of(turn, agent))
    if until is None and presence is Presence.PAUSED:
        until = _ends_at(turn, agent, reason, by)
    turn.run(
        _CHOOSE_AVAILABLE if is_available else _CHOOSE,
        b_agent=agent,
        b_presence=presence.value,
        b_reason=reason,
        b_at=turn.now.wall,
        b_until=until,
        b_by=by,
    )
    told = {"by": by} if by else {}
    turn.tell_agent("presence_changed", agent, presence=presence.value, reason=reason, **before, **told)
    if is_available:
        turn.agent_is_free(agent)
    else:
        turn.agent_is_gone(agent)


def _told_before(turn: Turn, row: Row[Any]) -> dict[str, Any]:
    """What a row about a change says besides, so that it can be understood without those before it."""
    configured = turn.plan.agents.get(row.agent)
    queues = list(configured.queues) if configured is not None else []
    return {"was": row.presence, "was_reason": row.presence_reason, "queues": queues}


def _ends_at(turn: Turn, agent: str, reason: str, by: str) -> float | None:
    """The boot clock's time at which a pause has lasted as long as it may; a supervisor's has no limit."""
    at_most_s = 0.0 if by else pause_rule(turn.plan, agent, reason).at_most_s
    return turn.now.boot + at_most_s if at_most_s > 0 else None


def _how_many_at(turn: Turn, reason: str) -> int:
    row = turn.row(_HOW_MANY_AT, b_reason=reason)
    return int(row[0]) if row is not None else 0


def _is_already(row: Row[Any] | None, presence: Presence, reason: str) -> bool:
    now = (row.presence, row.presence_reason) if row is not None else (Presence.LOGGED_OUT, "")
    return now == (presence, reason)


def _row_of(turn: Turn, agent: str) -> Row[Any]:
    """The agent's row, made if they have never logged in."""
    row = find_agent(turn, agent)
    if row is None:
        turn.run(_NEW, **_logged_out(agent, turn.now.wall))
        row = find_agent(turn, agent)
    assert row is not None
    return row


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
