"""`queue`: the caller waits for an agent, and talks to one.

    sales: {queue: sales, otherwise: sorry}
    gold: {queue: sales, priority: 10, max_wait_s: 120, next: survey, otherwise: call_back}
    patient:
      queue: support
      keys: {9: operator}                    # leaves the queue
      step_out: {1: opening_times}           # leaves it for a while
      held_for_s: 90
      full: sorry_full                       # and empty, closed, overflow, max_wait
      otherwise: sorry
    opening_times: {play: our_hours, next: patient}   # back to the same place
    experts:
      queue: support
      require: {internet: 3, spanish: {cel: "call.language == 'es' ? 4 : 0"}}
      prefer: {billing: 2}
      relax: [{after_s: 30, lower: {spanish: 1}}, {after_s: 90, drop: [internet]}]
      agent: last                            # who knows the story, if they are at work
      agent_s: 20
      exclude: [carol]                       # or last: not to the one who has just sent the caller on
      otherwise: sorry
    known:
      queue: support
      identity: {cel: "pin_is_right ? customer.id : ''"}
      otherwise: sorry

Who steps out keeps the place while the flow goes on elsewhere, and has it again on entering the same queue, by this
node or another one, within `held_for_s`. Until then no agent is offered to them, and those before them move on.

A place that is kept for a caller who was cut off, or is to be called back, goes to who calls again from the same
number. With `identity` it goes to who is found to be the same again, from whatever number, and to nobody else: give
what the flow has confirmed (a customer by a PIN), and `''` while it has not.

Skills are the agents' own, with levels from 1 to 10 (agents.yaml). What a node does not ask for, its queue may
(queues.yaml). Each step of `relax` fires at its second of waiting: it may lower a level, drop a skill, swap it for
another, or require one more. The caller's place never changes by that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from cordboard.config.needs_section import Relaxation
from cordboard.config.validation import Many, Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression
from cordboard.flows.node import Ask, End, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.options import Formula, NodeOptions, Target
from cordboard.flows.skills_asked import AskedSkills, SkillsAsked, WrittenNeeds, compile_needs
from cordboard.telephony.outcomes import AgentRung, LeftByKey, NotServed, Outcome, Served
from cordboard.telephony.verbs import Enqueue

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_WAITING = "waiting"


QueueKey = Annotated[Text, Field(pattern=r"^[0-9*#]$")]
_REASONS = ("full", "empty", "closed", "overflow", "max_wait")


class QueueOptions(NodeOptions):
    """The caller waits for an agent, with the music of the queue, and talks to one."""

    verb: ClassVar[str] = "queue"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True
    needs_call: ClassVar[bool] = True

    queue: Text = Field(description="The queue's name in queues.yaml.")
    priority: Annotated[int, Field(ge=-99, le=99)] = Field(0, description="Higher goes first within the queue.")
    max_wait_s: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        None, description="How long the caller waits; the queue's own `max_wait_s` without it."
    )
    next: Target | None = Field(
        None, description="Where after the talk, if the caller is still there; the call ends without it."
    )
    otherwise: Target | None = Field(None, description="Where if nobody came in time; `on_failure` without it.")
    require: AskedSkills = Field(
        default_factory=dict,
        description="The skills an agent must have, with levels from 1 to 10: a number, or worked out, "
        "`{cel: ...}`; 0 asks for nothing.",
    )
    prefer: AskedSkills = Field(
        default_factory=dict, description="Skills that put an agent before those who have fewer of them."
    )
    relax: Relaxation = Field(
        (), description="What is asked for less, or instead, once the caller has waited for some time."
    )
    agent: Text | Formula | None = Field(
        None,
        description="For whom the call is kept at first, if they are at work: a name, `last` for whoever talked "
        "with this number last, or worked out, `{cel: ...}`.",
    )
    agent_s: Annotated[float, Field(gt=0, le=3600)] = Field(
        20.0, description="How long it is kept for `agent`; then anybody may have it."
    )
    exclude: Annotated[Many[Text | Formula], Field(max_length=20)] = Field(
        (),
        description="Agents who do not get the call: names, `last` for whoever talked with the caller last, or "
        "worked out, `{cel: ...}`.",
    )
    keys: dict[QueueKey, Target] = Field(
        default_factory=dict, description="The nodes that keys lead to while the caller waits: out of the queue."
    )
    step_out: dict[QueueKey, Target] = Field(
        default_factory=dict, description="The same for keys that keep the place: see `held_for_s`."
    )
    held_for_s: Annotated[float, Field(ge=5, le=3600)] = Field(
        120.0, description="How long the place of one who has stepped out is kept."
    )
    identity: Formula | None = Field(
        None,
        description="Who the caller is, as a text that the flow has confirmed, `''` for not: a place that is kept "
        "for them is given to nobody else, whatever the number.",
    )
    full: Target | None = Field(None, description="Where if too many wait already; `otherwise` without it.")
    empty: Target | None = Field(
        None,
        description="Where if no agent is there (`join_when_empty`, `leave_when_empty`); `otherwise` without it.",
    )
    closed: Target | None = Field(
        None,
        description="Where if the queue has closed, or was taken out of queues.yaml; `otherwise` without it.",
    )
    overflow: Target | None = Field(
        None, description="Where if the queue's `overflow` sends the caller out; `otherwise` without it."
    )
    max_wait: Target | None = Field(None, description="Where after the longest wait; `otherwise` without it.")

    @property
    def ends(self) -> bool:
        """The call ends after it, if nothing follows."""
        return self.next is None

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its queue looked up."""
        queue = compiler.queue(self.queue, "queue")
        return QueueNode(
            waits=compiler.per_language(
                lambda language: Enqueue(
                    queue,
                    language,
                    self.priority,
                    self.max_wait_s,
                    exit_keys="".join(self.keys),
                    step_out_keys="".join(self.step_out),
                    held_for_s=self.held_for_s,
                ),
            ),
            next=compiler.way(self.next, "next"),
            otherwise=compiler.way(self.otherwise, "otherwise"),
            by_reason=self._by_reason(compiler),
            by_key=self._by_key(compiler),
            asked=compile_needs(
                WrittenNeeds(
                    self.require, self.prefer, self.relax, self.agent, self.agent_s, self.exclude, self.max_wait_s
                ),
                queue,
                compiler,
            ),
            identity=self._identity(compiler),
        )

    def _identity(self, compiler: NodeCompiler) -> Expression | None:
        """Only a text: a number that is not known is 0 for everybody."""
        if self.identity is None:
            return None
        return compiler.expression(self.identity.cel, "identity", "cel", kinds=("string",))

    def _by_reason(self, compiler: NodeCompiler) -> Mapping[str, Go]:
        ways = {reason: compiler.way(getattr(self, reason), reason) for reason in _REASONS}
        return {reason: way for reason, way in ways.items() if way is not None}

    def _by_key(self, compiler: NodeCompiler) -> Mapping[str, Go]:
        for key in self.keys.keys() & self.step_out.keys():
            message = f"key {key} leaves the queue already (`keys`)"
            compiler.report(("step_out", key), "key-taken", message, "write it into one of the two")
        out = {key: compiler.way(node, "keys", key) for key, node in self.keys.items()}
        return out | {key: compiler.way(node, "step_out", key) for key, node in self.step_out.items()}


@dataclass(frozen=True, slots=True)
class QueueNode(Node):
    """Waits, then goes on. An agent's phone rings without a worker, so the call may come back from one here: with a
    talk behind it, or to wait on at its old place.
    """

    waits: Mapping[str, Enqueue]
    next: Go | None
    otherwise: Go | None
    by_reason: Mapping[str, Go] = field(default_factory=dict)
    by_key: Mapping[str, Go] = field(default_factory=dict)
    asked: SkillsAsked = field(default_factory=SkillsAsked)
    identity: Expression | None = None

    def awaits_return(self, run: FlowRun) -> bool:
        """Ringing an agent and talking go on by themselves."""
        return run.phase == _WAITING

    def enter(self, run: FlowRun, now: datetime) -> Ask:
        """Wait. After a crash too: the queue knows the call and has kept its place."""
        identity = self.identity.evaluate(run.facts(now)) if self.identity else ""
        return Ask(replace(self.waits[run.language], needs=self.asked.now(run, now), identity=identity), _WAITING)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """After a talk, after an agent who did not take the call, or after the longest wait."""
        match outcome:
            case Served() | AgentRung(result="joined"):
                return self.next or End()
            case AgentRung():
                return self.enter(run, now)
            case NotServed(reason):
                return self._not_served(reason)
            case LeftByKey(key) if key in self.by_key:
                return self.by_key[key]
        raise unexpected(outcome)

    def _not_served(self, reason: str) -> Go:
        way = self.by_reason.get(reason, self.otherwise)
        if way is None:
            raise NodeFailed(f"no agent came ({reason}), and `otherwise` is not given")
        return way


OPTIONS = QueueOptions
