"""`dial`: rings somebody the dial policy allows, and connects the caller.

    operator:
      dial: "0"
      ring_s: 20
      busy: leave_message
      otherwise: sorry
      next: survey
    direct: {dial: {extension_from: digits}, unknown: try_again, otherwise: operator}
    alice:  {dial: {agent: alice}, otherwise: operator}
    branch: {dial: {number: "+44 20 7946 0123"}, otherwise: sorry}
    back:   {dial: {number_from: number}, refused: sorry, otherwise: sorry}
    night:
      dial: {group: ["1001", {agent: bob}, {number: "+44 7400 123456"}], strategy: in_order}
      screen: a_call_for_the_shop
      ring_s: 15
      otherwise: leave_message
    sales:  {dial: {queue: sales}, otherwise: leave_message}

A ring group rings all its targets at once, or one after the other. `screen` is what whoever picks up hears first;
only after pressing 1 are they connected. So a mobile's voicemail, which presses nothing, never takes a call.
next: after a conversation; the call ends without it. busy, no_answer, rejected, unreachable: each its own way,
`otherwise` for those not given; without it, the flow's `on_failure`. A queue is waited in as by the node `queue`,
with its defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from cordboard.config.validation import Many, Text, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.dial_targets import Who, WrittenTarget, as_extension, who_is_written
from cordboard.flows.node import Ask, End, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.nodes.queue import QueueNode
from cordboard.flows.options import NodeOptions, PromptNames, Seconds, Target
from cordboard.flows.speaking.value import SpokenValue
from cordboard.flows.speech import Speech
from cordboard.telephony.outcomes import Connected, NotConnected, Outcome
from cordboard.telephony.verbs import MAX_TARGETS, Dial, Enqueue

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_DIALLING = "dialling"
_WITHOUT_ANSWER = ("busy", "no_answer", "rejected", "unreachable")
_REASONS = (*_WITHOUT_ANSWER, "unknown", "refused")
_NOT_WITH_QUEUE = ("ring_s", "screen", *_REASONS)  # a queue rings its agents by its own rules

GroupMember = Annotated[WrittenTarget, BeforeValidator(as_extension)]


class DialWho(WrittenTarget):
    """Who is rung: one of these keys."""

    choices: ClassVar[tuple[str, ...]] = (*WrittenTarget.choices, "group", "queue")

    group: Annotated[Many[GroupMember], Field(max_length=MAX_TARGETS)] = Field(
        default=(), description="Several targets, of whom the first to take the call has it."
    )
    queue: Text | None = Field(default=None, description="A queue of queues.yaml, with its defaults.")
    strategy: Literal["all", "in_order"] = Field(
        default="all", description="Of a group: `all` ring at once, or one after the other, `in_order`."
    )


class DialOptions(NodeOptions):
    """Rings somebody the dial policy allows, and connects the caller."""

    verb: ClassVar[str] = "dial"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True
    needs_call: ClassVar[bool] = True

    dial: Annotated[DialWho, BeforeValidator(as_extension)] = Field(
        description="Who is rung: an extension, or one of `agent`, `number`, `group`, `queue`, `extension_from`, "
        "`number_from`."
    )
    ring_s: Seconds = Field(
        default=20.0, description="How long it rings; in a group that is rung in order, how long each of them does."
    )
    screen: PromptNames = Field(
        default=(), description="What whoever picks up hears, who is connected only after pressing 1."
    )
    next: Target | None = Field(
        default=None, description="Where after a conversation, if the caller is still there; else the call ends."
    )
    busy: Target | None = Field(default=None, description="Where if it is busy.")
    no_answer: Target | None = Field(default=None, description="Where if nobody picks up in time.")
    rejected: Target | None = Field(
        default=None, description="Where if the call is rejected, or not accepted by who has heard `screen`."
    )
    unreachable: Target | None = Field(default=None, description="Where if the phone cannot be reached.")
    unknown: Target | None = Field(
        default=None, description="Where if the variable of `extension_from` holds no extension of the dial policy."
    )
    refused: Target | None = Field(
        default=None,
        description="Where if the dial policy does not allow the number, or no more calls to such numbers now.",
    )
    otherwise: Target | None = Field(default=None, description="Where without a conversation, in all other cases.")

    @model_validator(mode="after")
    def _fits_queue(self) -> Self:
        unfit = next((name for name in _NOT_WITH_QUEUE if name in self.model_fields_set), None)
        if self.dial.queue is not None and unfit:
            hint = "use the node `queue`, or leave it out"
            raise fault("unfit-option", f"`{unfit}` has no meaning when a queue is dialled", hint)
        return self

    @property
    def ends(self) -> bool:
        """The call ends after it, if nothing follows."""
        return self.next is None

    def left_out(self) -> Iterator[tuple[str | int, ...]]:
        """`otherwise`, unless each case that there may be has a way of its own."""
        is_checked_now = self.dial.extension is not None or self.dial.agent is not None
        possible = _WITHOUT_ANSWER if is_checked_now else _REASONS
        if self.otherwise is None and not all(getattr(self, reason) for reason in possible):
            yield ("otherwise",)

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its targets looked up, as far as they are known before the call."""
        if self.dial.queue is not None:
            return self._compile_queue(compiler, compiler.queue(self.dial.queue, "dial", "queue"))
        branches = {reason: compiler.way(getattr(self, reason), reason) for reason in _REASONS}
        return DialNode(
            who=self._compile_targets(compiler),
            ring_s=self.ring_s,
            in_order=self.dial.strategy == "in_order",
            screen=self._compile_screen(compiler) if self.screen else None,
            next=compiler.way(self.next, "next"),
            branches={reason: way for reason, way in branches.items() if way},
            otherwise=compiler.way(self.otherwise, "otherwise"),
        )

    def _compile_targets(self, compiler: NodeCompiler) -> tuple[Who, ...]:
        group = self.dial.group
        if not group:
            return (who_is_written(compiler, self.dial, "dial"),)
        return tuple(
            who_is_written(compiler, member, "dial", "group", number) for number, member in enumerate(group)
        )

    def _compile_screen(self, compiler: NodeCompiler) -> Speech:
        """The switch plays it by itself, from files, and so can say no values but digits."""
        speech = compiler.speech(self.screen, "screen")
        pieces = [piece for one in speech.pieces.values() for piece in one]
        if any(isinstance(piece, SpokenValue) and piece.rule.how.kind != "digits" for piece in pieces):
            message = "only digits can be said before a call is accepted"
            compiler.report(("screen",), "unfit-option", message, "write for instance {call.ani | digits}")
        return speech

    def _compile_queue(self, compiler: NodeCompiler, queue: str) -> Node:
        """As if the node `queue` stood here."""
        return QueueNode(
            waits=compiler.per_language(lambda language: Enqueue(queue, language)),
            next=compiler.way(self.next, "next"),
            otherwise=compiler.way(self.otherwise, "otherwise"),
        )


@dataclass(frozen=True, slots=True)
class DialNode(Node):
    """Rings and connects."""

    who: tuple[Who, ...]
    ring_s: float
    in_order: bool
    screen: Speech | None
    next: Go | None
    branches: Mapping[str, Go]
    otherwise: Go | None

    def awaits_return(self, run: FlowRun) -> bool:
        """Ringing and talking go on by themselves."""
        return run.phase == _DIALLING

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Ring, or go the way for digits that are nobody's."""
        targets = tuple(target for one in self.who if (target := one.find(run)) is not None)
        if not targets:
            return self._not_connected(self.who[0].missing)
        screen = self.screen.utterances(run, now) if self.screen else ()
        return Ask(Dial(targets, self.ring_s, self.in_order, screen), _DIALLING)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """After a conversation, or without one."""
        match outcome:
            case Connected():
                return self.next or End()
            case NotConnected(reason):
                return self._not_connected(reason)
        raise unexpected(outcome)

    def _not_connected(self, reason: str) -> Go:
        way = self.branches.get(reason, self.otherwise)
        if way is None:
            raise NodeFailed(f"not connected ({reason}), and neither `{reason}` nor `otherwise` is given")
        return way


OPTIONS = DialOptions
