"""`hangup`: ends the call.

    bye:    {hangup: normal}
    closed: {hangup: busy}

Before the call is answered the cause reaches the caller, who then hears the busy tone, say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Ask, Move, Node
from cordboard.flows.options import NodeOptions
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.verbs import Hangup

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class HangupOptions(NodeOptions):
    """Ends the call. Nothing written for the cause means `normal`."""

    verb: ClassVar[str] = "hangup"
    needs_call: ClassVar[bool] = True

    hangup: Literal["normal", "busy", "no_answer", "rejected", "unallocated", "congestion"] | None = Field(
        description="Why; heard as such, as the busy tone for instance, if the call is not answered yet."
    )

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its verb."""
        return HangupNode(Ask(Hangup(HangupCause(self.hangup or "normal"))))


@dataclass(frozen=True, slots=True)
class HangupNode(Node):
    """Ends the call; `HungUp` is the only outcome."""

    move: Ask

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Hang up."""
        return self.move


OPTIONS = HangupOptions
