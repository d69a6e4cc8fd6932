"""How many calls agents have had today and how long they talked, for strategies that go by that.

The day begins at midnight in the zone of the settings; counts of another day than today are none. Called by the
functions on offers, once for each talk.
"""

from __future__ import annotations

from sqlalchemy import bindparam, case, update

from cordboard.store.tables import agent_states
from cordboard.store.turn import Turn

_is_today = agent_states.c.counted_since_at >= bindparam("b_day")
_today = (
    update(agent_states)
    .where(agent_states.c.agent == bindparam("b_agent"))
    .values(
        calls_today=case((_is_today, agent_states.c.calls_today), else_=0) + bindparam("b_calls"),
        talk_s_today=case((_is_today, agent_states.c.talk_s_today), else_=0.0) + bindparam("b_talk_s"),
        counted_since_at=bindparam("b_day"),
    )
)
_COUNT_TALK = _today.values(last_call_ended_at=bindparam("b_at"))


def count_call(turn: Turn, agent: str) -> None:
    """The agent begins to talk with a caller."""
    turn.run(_today, b_agent=agent, b_day=turn.day_began_at, b_calls=1, b_talk_s=0.0)


def count_talk(turn: Turn, agent: str, talk_s: float, at: float) -> None:
    """The talk has ended."""
    turn.run(_COUNT_TALK, b_agent=agent, b_day=turn.day_began_at, b_calls=0, b_talk_s=talk_s, b_at=at)
