"""Whether what callers ask for can be had: skills nobody has, levels nobody reaches, steps that change nothing.

Called when a configuration is loaded: for the defaults of a queue, and for each node that asks for a queue. Pure;
who calls knows where in a file things stand.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from cordboard.config.document import Keys
from cordboard.config.suggestions import closest
from cordboard.telephony.needs import Levels, Needs, RelaxStep, needs_after

Agents = Mapping[str, Mapping[str, int]]
"""Agents by name, each with their skills."""

_HIGHEST = 10


@dataclass(frozen=True, slots=True)
class QueueSkills:
    """What can be asked for in a queue. needs: what its callers ask for where nothing else is written; agents:
    those who serve it; everybody: all skills there are, of agents of other queues too.

    goes_on: queues that its overflow may lead to, by name; longest_s: after how much waiting callers leave, where
    the flow says nothing else, infinite where they may wait without being on the phone.
    """

    needs: Needs = field(default_factory=Needs)
    agents: Agents = field(default_factory=dict)
    everybody: frozenset[str] = frozenset()
    goes_on: tuple[str, ...] = ()
    longest_s: float = math.inf


@dataclass(frozen=True, slots=True)
class NeedsFault:
    """What is wrong, and where: the way within the section that has `require`, `prefer` and `relax`.

    is_key: the key there is meant, not its value.
    """

    keys: Keys
    code: str
    message: str
    hint: str
    is_key: bool = False


def needs_faults(needs: Needs, queue: str, skills: QueueSkills, unclear: Collection[str] = ()) -> list[NeedsFault]:
    """Every fault. unclear: skills whose required level is known only in the call; what is in `needs` of them is
    not looked at.
    """
    named = [*_unknown_skills(needs, skills), *_levels_too_high(needs, queue, skills, unclear)]
    return named or [*_idle_steps(needs, unclear), *_unmet(needs, queue, skills, unclear)]


def can_ever_be_met(needs: Needs, skills: QueueSkills, unclear: Collection[str] = ()) -> bool:
    """Whether somebody could take the call at any stage of the wait. unclear: as for `needs_faults`."""
    asked = replace(needs, require=_set(needs.require, unclear, 0))
    stages = [asked]
    for step in needs.relax:
        stages.append(_after(stages[-1], step))
    return any(_can_be_met(stage.require, skills) for stage in stages)


def _unknown_skills(needs: Needs, skills: QueueSkills) -> Iterator[NeedsFault]:
    for keys, skill in _named(needs):
        if skill not in skills.everybody:
            known = ", ".join(sorted(skills.everybody)) or "none"
            hint = closest(skill, skills.everybody) or f"skills are given in agents.yaml; there are: {known}"
            yield NeedsFault(keys, "unknown-skill", f"no agent has the skill `{skill}`", hint, keys[-1] == skill)


def _named(needs: Needs) -> Iterator[tuple[Keys, str]]:
    """Every skill that is written somewhere, with where: also one that a step takes back, which would be a slip."""
    yield from ((("require", skill), skill) for skill, _ in needs.require)
    yield from ((("prefer", skill), skill) for skill, _ in needs.prefer)
    for number, step in enumerate(needs.relax):
        yield from ((("relax", number, "drop", place), skill) for place, skill in enumerate(step.drop))
        yield from ((("relax", number, "lower", skill), skill) for skill, _ in step.lower)
        yield from ((("relax", number, "swap", old), old) for old, _ in step.swap)
        yield from ((("relax", number, "swap", old), new) for old, new in step.swap)
        yield from ((("relax", number, "require", skill), skill) for skill, _ in step.require)


def _levels_too_high(
    needs: Needs, queue: str, skills: QueueSkills, unclear: Collection[str]
) -> Iterator[NeedsFault]:
    for keys, skill, level in _asked(needs):
        if keys == ("require", skill) and skill in unclear:
            continue
        best = max((agent.get(skill, 0) for agent in skills.agents.values()), default=0)
        if best < level and skill in skills.everybody:
            has = f"the best of them has {best}" if best else "none of them has the skill"
            message = f"no agent of `{queue}` has {skill} {level}; {has}"
            yield NeedsFault(keys, "skill-too-high", message, "ask for less, or give it to an agent in agents.yaml")


def _asked(needs: Needs) -> Iterator[tuple[Keys, str, int]]:
    yield from ((("require", skill), skill, level) for skill, level in needs.require)
    yield from ((("prefer", skill), skill, level) for skill, level in needs.prefer)
    for number, step in enumerate(needs.relax):
        yield from ((("relax", number, "require", skill), skill, level) for skill, level in step.require)


def _idle_steps(needs: Needs, unclear: Collection[str]) -> Iterator[NeedsFault]:
    """Steps after which the same is asked for as before."""
    asked = replace(needs, require=_set(needs.require, unclear, _HIGHEST))
    for number, step in enumerate(needs.relax):
        before, asked = asked, _after(asked, step)
        if (before.require, before.prefer) == (asked.require, asked.prefer):
            hint = "the skills it names are not asked for by then, or not at a higher level: take the step out"
            yield NeedsFault(("relax", number), "relax-no-change", "this step changes nothing", hint)


def _unmet(needs: Needs, queue: str, skills: QueueSkills, unclear: Collection[str]) -> Iterator[NeedsFault]:
    """Stages of the wait in which nobody could take the call, whoever is at work."""
    asked = replace(needs, require=_set(needs.require, unclear, 0))
    if not _can_be_met(asked.require, skills):
        message = f"no agent of `{queue}` has all of this"
        yield NeedsFault(("require",), "needs-never-met", message, "ask for skills that one agent has together")
    for number, step in enumerate(needs.relax):
        before, asked = asked, _after(asked, step)
        if before.require != asked.require and not _can_be_met(asked.require, skills):
            message = f"no agent of `{queue}` has all that is asked for after this step"
            hint = "relax it so that one agent has it all"
            yield NeedsFault(("relax", number), "relax-never-met", message, hint)


def _after(needs: Needs, step: RelaxStep) -> Needs:
    return needs_after(Needs(needs.require, needs.prefer, (step,)), step.after_s)


def _set(levels: Levels, skills: Collection[str], level: int) -> Levels:
    """The levels of these skills made another."""
    return tuple((skill, level if skill in skills else asked) for skill, asked in levels)


def _can_be_met(require: Levels, skills: QueueSkills) -> bool:
    return not skills.agents or any(
        all(agent.get(skill, 0) >= level for skill, level in require) for agent in skills.agents.values()
    )
