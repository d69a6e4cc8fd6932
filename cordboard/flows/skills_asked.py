"""What a node asks of the agent who takes the call: skills as they stand or worked out, an agent to try first, and
agents who are not to have it.

Used by the node `queue`. Checked against the agents when the flow is loaded, worked out when the node is reached.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from cordboard.config.needs_checks import QueueSkills, can_ever_be_met, needs_faults
from cordboard.config.needs_section import Skill, WrittenStep
from cordboard.config.validation import written_as
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression
from cordboard.flows.options import Formula
from cordboard.telephony.needs import LAST_AGENT, Levels, Needs, RelaxStep, with_defaults

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

HIGHEST = 10

AskedSkills = Annotated[
    dict[Skill, Annotated[int, Field(ge=0, le=HIGHEST)] | Formula],
    written_as(lambda skill: f"{{{skill or 'spanish'}: 3}}"),
]
"""Skills with the level asked for, as a number or worked out; 0 asks for nothing."""


@dataclass(frozen=True, slots=True)
class WrittenNeeds:
    """What a node has of it. agent, and each of exclude: a name, `last`, or worked out; max_wait_s: None for the
    queue's.
    """

    require: Mapping[str, int | Formula]
    prefer: Mapping[str, int | Formula]
    relax: tuple[WrittenStep, ...]
    agent: str | Formula | None
    agent_s: float
    exclude: tuple[str | Formula, ...] = ()
    max_wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class SkillsAsked:
    """Compiled. needs: as far as it stands; require, prefer, agent, exclude: what is worked out in the call."""

    needs: Needs = field(default_factory=Needs)
    require: Mapping[str, Expression] = field(default_factory=dict)
    prefer: Mapping[str, Expression] = field(default_factory=dict)
    agent: Expression | None = None
    exclude: tuple[Expression, ...] = ()

    def now(self, run: FlowRun, now: datetime) -> Needs:
        """The needs of this call. Raises ExpressionFailed."""
        if not (self.require or self.prefer or self.agent or self.exclude):
            return self.needs
        facts = run.facts(now)
        return replace(
            self.needs,
            require=self.needs.require + _levels(self.require, facts),
            prefer=self.needs.prefer + _levels(self.prefer, facts),
            agent=self.agent.evaluate(facts) if self.agent else self.needs.agent,
            exclude=self.needs.exclude + tuple(filter(None, (one.evaluate(facts) for one in self.exclude))),
        )


def _levels(formulas: Mapping[str, Expression], facts: Mapping[str, object]) -> Levels:
    """Levels outside 0 to 10 become the next that is not."""
    return tuple((skill, min(HIGHEST, max(0, formula.evaluate(facts)))) for skill, formula in formulas.items())


def compile_needs(written: WrittenNeeds, queue: str, compiler: NodeCompiler) -> SkillsAsked:
    """What a node asks for, with findings for what nobody of the queue has."""
    _check(written, queue, compiler)
    agent = written.agent if isinstance(written.agent, str) else ""
    needs = Needs(
        _plain(written.require),
        _plain(written.prefer),
        _steps(written),
        _known_agent(agent, queue, compiler),
        written.agent_s if written.agent is not None else 0.0,
        exclude=_excluded(written, queue, compiler),
    )
    return SkillsAsked(
        needs,
        _formulas("require", written.require, compiler),
        _formulas("prefer", written.prefer, compiler),
        compiler.expression(written.agent.cel, "agent", "cel", kinds=("string",))
        if isinstance(written.agent, Formula)
        else None,
        tuple(
            compiler.expression(one.cel, "exclude", place, "cel", kinds=("string",))
            for place, one in enumerate(written.exclude)
            if isinstance(one, Formula)
        ),
    )


def _plain(skills: Mapping[str, int | Formula]) -> Levels:
    return tuple((skill, level) for skill, level in skills.items() if isinstance(level, int))


def _formulas(key: str, skills: Mapping[str, int | Formula], compiler: NodeCompiler) -> dict[str, Expression]:
    return {
        skill: compiler.expression(level.cel, key, skill, "cel", kinds=("int",))
        for skill, level in skills.items()
        if isinstance(level, Formula)
    }


def _known_agent(name: str, queue: str, compiler: NodeCompiler) -> str:
    """An agent who serves the queue, or `last`."""
    if name in ("", LAST_AGENT):
        return name
    compiler.agent(name, "agent")
    skills = (compiler.names.surroundings.queue_skills or {}).get(queue)
    everybody = compiler.names.surroundings.agents or {}
    if skills is not None and name in everybody and name not in skills.agents:
        message = f"{name} does not serve `{queue}`"
        hint = f"write `queues: [{queue}]` for {name} in agents.yaml, or take another agent"
        compiler.report(("agent",), "agent-elsewhere", message, hint)
    return name


def _excluded(written: WrittenNeeds, queue: str, compiler: NodeCompiler) -> tuple[str, ...]:
    """Known agents, of whom the queue has others left."""
    names = {place: one for place, one in enumerate(written.exclude) if isinstance(one, str)}
    for place, name in names.items():
        if name != LAST_AGENT:
            compiler.agent(name, "exclude", place)
    skills = (compiler.names.surroundings.queue_skills or {}).get(queue)
    if skills is not None and skills.agents and skills.agents.keys() <= set(names.values()):
        message = f"no agent of `{queue}` is left"
        compiler.report(("exclude",), "needs-never-met", message, "exclude fewer, or take another queue")
    return tuple(names.values())


def _check(written: WrittenNeeds, queue: str, compiler: NodeCompiler) -> None:
    """Report what nobody has, where the node itself says it: what the queue asks for is checked with the queue."""
    skills = (compiler.names.surroundings.queue_skills or {}).get(queue)
    if skills is None:
        return
    own = Needs(_levels_at_least(written.require), _levels_at_least(written.prefer), _steps(written))
    unclear = {skill for skill, level in written.require.items() if isinstance(level, Formula)}
    found = needs_faults(with_defaults(own, skills.needs), queue, skills, unclear)
    for wrong in found:
        if getattr(written, str(wrong.keys[0])):
            compiler.report(wrong.keys, wrong.code, wrong.message, wrong.hint, key=wrong.is_key)
    if not found:
        _check_further_on(own, unclear, queue, skills, compiler)
    _check_times(written, skills, compiler)


def _check_further_on(
    own: Needs, unclear: set[str], queue: str, skills: QueueSkills, compiler: NodeCompiler
) -> None:
    """Report queues of the overflow in which the callers of this node would wait for nobody."""
    known = compiler.names.surroundings.queue_skills or {}
    for other in skills.goes_on if own.require else ():
        if other in known and not can_ever_be_met(with_defaults(own, known[other].needs), known[other], unclear):
            message = f"`{queue}` sends callers on to `{other}`, where no agent has all of this"
            hint = f"relax it, give it to an agent of `{other}`, or take that step out of the overflow of `{queue}`"
            compiler.report(("require",), "overflow-never-met", message, hint)


def _check_times(written: WrittenNeeds, skills: QueueSkills, compiler: NodeCompiler) -> None:
    """Report steps at whose time nobody waits any more."""
    has_promises = skills.longest_s == math.inf  # who is to be called back waits without end
    longest_s = skills.longest_s if has_promises or written.max_wait_s is None else written.max_wait_s
    for number, step in enumerate(written.relax):
        if step.after_s >= longest_s:
            message = f"callers have left by then: they wait for {longest_s:g} s at most"
            hint = "let the step come sooner, or the callers wait longer (`max_wait_s`)"
            compiler.report(("relax", number, "after_s"), "relax-too-late", message, hint)


def _levels_at_least(skills: Mapping[str, int | Formula]) -> Levels:
    """Of a level that is worked out no more is sure than that it may be asked for."""
    return tuple((skill, level if isinstance(level, int) else 1) for skill, level in skills.items())


def _steps(written: WrittenNeeds) -> tuple[RelaxStep, ...]:
    return tuple(step.as_step() for step in written.relax)
