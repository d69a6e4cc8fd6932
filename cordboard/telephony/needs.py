"""What a caller asks of an agent, at each moment of the wait; part of `Enqueue`. Values and pure functions.

Requirements are relaxed in steps of time. A place in line never changes by it, only who may take the call. Used by
the ACD, and where configurations and flows are checked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

LAST_AGENT = "last"  # as `Needs.agent`: whoever talked with the caller's number last
_SAME_S = 1e-4  # two readings of a clock, one taken from the other, are no more exact than that


Levels = tuple[tuple[str, int], ...]
"""Skills, each with a level."""


@dataclass(frozen=True, slots=True)
class RelaxStep:
    """What a caller needs less, or instead, once they have waited `after_s`. lower: skill to its new least level
    (preferred ones too); drop: skills asked for no more; swap: skill to the one asked for in its place, at the same
    level; require: skills asked for from now on.
    """

    after_s: float
    drop: tuple[str, ...] = ()
    lower: tuple[tuple[str, int], ...] = ()
    swap: tuple[tuple[str, str], ...] = ()
    require: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """What a caller asks of an agent. require: skill and least level (1 to 10; 0 asks for nothing, whatever the
    queue would ask), all of them; prefer: the same, but it only orders those who are eligible; relax: in order of
    time.

    agent: for whom the call is kept until `agent_s` from entering, if that one is at work; "" for nobody, and
    `LAST_AGENT` for whoever talked with this caller last. exclude: agents who never get it, the last one by that
    name, too. refused: agents who did not take it, each with the second of waiting until which others are asked
    first. switch: the one the call came in on, where there are several: agents whose phones it cannot reach are no
    use; "" where there is one.
    """

    require: tuple[tuple[str, int], ...] = ()
    prefer: tuple[tuple[str, int], ...] = ()
    relax: tuple[RelaxStep, ...] = ()
    agent: str = ""
    agent_s: float = 0.0
    exclude: tuple[str, ...] = ()
    refused: tuple[tuple[str, float], ...] = ()
    switch: str = ""


def needs_after(needs: Needs, waited_s: float) -> Needs:
    """What is asked after so many seconds of waiting. Its `relax` are the steps still to come; no `agent` once the
    time for that one is over. A step fires at its second, not after it.
    """
    if not any(_is_over(after_s, waited_s) for after_s in _changes_s(needs)):
        return needs
    if needs.agent and _is_over(needs.agent_s, waited_s):
        needs = replace(needs, agent="", agent_s=0.0)
    for step in needs.relax:
        if _is_over(step.after_s, waited_s):
            needs = _relaxed(needs, step)
    return replace(
        needs,
        relax=tuple(step for step in needs.relax if not _is_over(step.after_s, waited_s)),
        refused=tuple((agent, until_s) for agent, until_s in needs.refused if not _is_over(until_s, waited_s)),
    )


def after_refusal(needs: Needs, agent: str, until_s: float) -> Needs:
    """What is asked once an agent has not taken the call: others first, until so many seconds of waiting."""
    others = tuple(refused for refused in needs.refused if refused[0] != agent)
    return replace(needs, refused=(*others, (agent, until_s)))


def next_change_s(needs: Needs, waited_s: float) -> float | None:
    """After how many seconds of waiting, in all, something else is asked; None if never."""
    return min((after_s for after_s in _changes_s(needs) if not _is_over(after_s, waited_s)), default=None)


def _is_over(after_s: float, waited_s: float) -> bool:
    """Whether so many seconds have passed. Who is woken at the second must not find it still to come."""
    return after_s - waited_s <= _SAME_S


def _changes_s(needs: Needs) -> list[float]:
    steps = [step.after_s for step in needs.relax]
    asked_again = [until_s for _, until_s in needs.refused]
    return [*steps, *asked_again, needs.agent_s] if needs.agent else steps + asked_again


def _relaxed(needs: Needs, step: RelaxStep) -> Needs:
    return replace(
        needs,
        require=_with(_changed(needs.require, step), step.require),
        prefer=_changed(needs.prefer, step),
    )


def _changed(levels: Levels, step: RelaxStep) -> Levels:
    """Lowered and swapped first, dropped last: what is dropped is gone, however the step names it. Of one skill
    that is asked for twice then the higher level counts.
    """
    lower, swap = dict(step.lower), dict(step.swap)
    changed: dict[str, int] = {}
    for skill, level in levels:
        asked = swap.get(skill, skill)
        changed[asked] = max(changed.get(asked, 0), min(level, lower.get(skill, level)))
    return tuple((skill, level) for skill, level in changed.items() if skill not in step.drop)


def _with(levels: Levels, more: Levels) -> Levels:
    """What is asked for anew takes the place of what was asked of that skill before."""
    new = dict(more)
    return tuple((skill, level) for skill, level in levels if skill not in new) + more


def with_defaults(needs: Needs, defaults: Needs) -> Needs:
    """What the flow asks for, and of what it does not name what the queue asks for. A level of 0 asks for nothing,
    which is how a flow lifts what the queue would ask.
    """
    return Needs(
        require=_asked_for(_with(defaults.require, needs.require)),
        prefer=_asked_for(_with(defaults.prefer, needs.prefer)),
        relax=needs.relax or defaults.relax,
        agent=needs.agent or defaults.agent,
        agent_s=needs.agent_s if needs.agent else defaults.agent_s,
        exclude=needs.exclude,
        refused=needs.refused,
        switch=needs.switch,
    )


def _asked_for(levels: Levels) -> Levels:
    return tuple((skill, level) for skill, level in levels if level > 0)
