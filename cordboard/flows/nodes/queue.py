"""`queue`: the caller waits for an agent, and talks to one.

sales: {queue: sales, otherwise: sorry}
gold: {queue: sales, priority: 10, max_wait_s: 120, next: survey, otherwise: call_back}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from cordboard.config.validation import Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Ask, End, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.options import NodeOptions, Target
from cordboard.telephony.outcomes import AgentRung, NotServed, Outcome, Served
from cordboard.telephony.verbs import Enqueue

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_WAITING = "waiting"


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

    @property
    def ends(self) -> bool:
        """The call ends after it, if nothing follows."""
        return self.next is None

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its queue looked up."""
        queue = compiler.queue(self.queue, "queue")
        return QueueNode(
            waits=compiler.per_language(
                lambda language: Enqueue(queue, language, self.priority, self.max_wait_s),
            ),
            next=compiler.way(self.next, "next"),
            otherwise=compiler.way(self.otherwise, "otherwise"),
        )


@dataclass(frozen=True, slots=True)
class QueueNode(Node):
    """Waits, then goes on. An agent's phone rings without a worker, so the call may come back from one here: with a
    talk behind it, or to wait on at its old place.
    """

    waits: Mapping[str, Enqueue]
    next: Go | None
    otherwise: Go | None

    def awaits_return(self, run: FlowRun) -> bool:
        """Ringing an agent and talking go on by themselves."""
        return run.phase == _WAITING

    def enter(self, run: FlowRun, now: datetime) -> Ask:
        """Wait. After a crash too: the queue knows the call and has kept its place."""
        return Ask(self.waits[run.language], _WAITING)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """After a talk, after an agent who did not take the call, or after the longest wait."""
        match outcome:
            case Served() | AgentRung(result="joined"):
                return self.next or End()
            case AgentRung():
                return self.enter(run, now)
            case NotServed(reason):
                return self._not_served(reason)
        raise unexpected(outcome)

    def _not_served(self, reason: str) -> Go:
        if self.otherwise is None:
            raise NodeFailed(f"no agent came ({reason}), and `otherwise` is not given")
        return self.otherwise


OPTIONS = QueueOptions
