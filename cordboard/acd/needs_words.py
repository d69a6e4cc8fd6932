"""What callers ask for and agents have, in words an admin understands. Pure; for reasons of matches and waits."""

from __future__ import annotations

from collections.abc import Iterator

from cordboard.acd.model import Agent, Moment, Needs, RelaxStep, WaitingCall
from cordboard.acd.relaxation import Levels, asked_now


def asked_of(agent: Agent, call: WaitingCall, now: Moment) -> tuple[str, ...]:
    """Why this agent may have the call, as far as the call asks for anything: "alice has spanish 4, asked for 3
    until 30 s", "30 s were over: spanish 3 is asked for no more".
    """
    needs = asked_now(call, now)
    return tuple(_asked_of(agent, call.needs, needs))


def _asked_of(agent: Agent, written: Needs, needs: Needs) -> Iterator[str]:
    if needs.agent == agent.name:
        yield f"{agent.name} is the one to be tried first until {seconds(round(needs.agent_s, 1))}"
    for skill, level in needs.require:
        yield f"{agent.name} has {skill} {agent.skills.get(skill, 0)}, asked for {level}{_until(needs, skill)}"
    for skill, level in needs.prefer:
        if agent.skills.get(skill, 0) >= level:
            yield f"{agent.name} has {skill} {agent.skills[skill]}, preferred at {level}"
    yield from (f"{other} has not taken it before" for other, _ in needs.refused if other != agent.name)
    yield from relaxed(written, needs)


def relaxed(written: Needs, needs: Needs) -> Iterator[str]:
    """What was asked for at first and is not now, "relaxed after 30 s: asked for spanish 3 before"; nothing where
    nothing was relaxed.
    """
    fired = written.relax[: len(written.relax) - len(needs.relax)]
    if fired and written.require != needs.require:
        yield f"relaxed after {seconds(fired[-1].after_s)}: asked for {levels(written.require)} before"


def in_words(needs: Needs) -> str:
    """What is asked for: "spanish 3 and billing 2, alice first", "anybody but bob", "nothing"."""
    kept = [f"{needs.agent} first"] if needs.agent else []
    kept += [f"anybody but {' and '.join(needs.exclude)}"] if needs.exclude else []
    asked = [levels(needs.require)] if needs.require or not kept else []
    return ", ".join(asked + kept)


def levels(asked: Levels) -> str:
    """ "spanish 3 and billing 2", "nothing"."""
    return " and ".join(f"{skill} {level}" for skill, level in asked) or "nothing"


def seconds(after_s: float) -> str:
    """ "30 s", "7.5 s": steps are compared by admins with what they wrote."""
    return f"{after_s:g} s"


def _until(needs: Needs, skill: str) -> str:
    """Until when this much of the skill is asked for, if a step to come changes that."""
    step = next((step for step in needs.relax if _touches(step, skill)), None)
    return "" if step is None else f" until {seconds(step.after_s)}"


def _touches(step: RelaxStep, skill: str) -> bool:
    return skill in (*step.drop, *dict(step.lower), *dict(step.swap), *dict(step.require))
