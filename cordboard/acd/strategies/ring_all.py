"""The strategy `ring_all`: everybody at once, as many as are rung at a time. Used by the registry."""

from __future__ import annotations

from cordboard.acd.strategies.choice import Candidates, Choice
from cordboard.telephony.verbs import MAX_TARGETS


def ring_all(asked: Candidates) -> Choice:
    """Those who are free, at once; whoever accepts the call first has it."""
    if only := asked.only_one():
        return only
    rung = asked.agents[:MAX_TARGETS]
    names = ", ".join(state.agent for state in rung)
    who = "all" if len(rung) == len(asked.agents) else f"{len(rung)}, the ones free longest,"
    return Choice(rung, f"{who} {asked.others} are rung: {names}", asked.memory)
