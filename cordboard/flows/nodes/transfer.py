"""`transfer`: gives the call away for good (a blind transfer). The flow ends; the PBX carries the call on.

    reception: {transfer: {to: reception}, otherwise: sorry}
    desk:      {transfer: {extension: "1001"}}
    mobile:    {transfer: {number_from: number}, otherwise: sorry}

to: a place in the PBX's own dialplan, of `transfers` in cordboard.yaml. Everything else is as for `dial`, but
nothing comes back: where it is busy or nobody answers, the PBX sends the caller to the safe destination.
otherwise: it cannot be done at all; without it, the flow's `on_failure`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BeforeValidator, Field

from cordboard.config.validation import Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.dial_targets import Who, WrittenTarget, as_extension, who_is_written
from cordboard.flows.node import Ask, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.options import NodeOptions, Target
from cordboard.telephony.outcomes import NotConnected, Outcome
from cordboard.telephony.verbs import Destination, Transfer

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class TransferTo(WrittenTarget):
    """Where the call goes: one of these keys."""

    choices: ClassVar[tuple[str, ...]] = ("to", *WrittenTarget.choices)

    to: Text | None = Field(default=None, description="A place of `transfers` in cordboard.yaml, by its name.")


class TransferOptions(NodeOptions):
    """Gives the call away for good: the flow ends, and the PBX carries the call on."""

    verb: ClassVar[str] = "transfer"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True
    needs_call: ClassVar[bool] = True

    transfer: Annotated[TransferTo, BeforeValidator(as_extension)] = Field(
        description="Where the call goes: `to` a named place, or an extension, agent or number as for `dial`."
    )
    otherwise: Target | None = Field(
        default=None, description="Where if the call cannot be given away: no such place or number."
    )

    @property
    def ends(self) -> bool:
        """The flow has no more to say of a call that it has given away."""
        return True

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its destination looked up, as far as it is known before the call."""
        otherwise = compiler.way(self.otherwise, "otherwise")
        if self.transfer.to is not None:
            return TransferNode(compiler.destination(self.transfer.to, "transfer", "to"), otherwise)
        return TransferNode(who_is_written(compiler, self.transfer, "transfer"), otherwise)


@dataclass(frozen=True, slots=True)
class TransferNode(Node):
    """Gives the call away."""

    to: Destination | Who
    otherwise: Go | None

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Give it away, or go the way for digits that are nobody's."""
        destination = self.to.find(run) if isinstance(self.to, Who) else self.to
        if destination is None:
            return self._not_given("nobody has this number")
        return Ask(Transfer(destination))

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """It is still ours; a call that was given away comes back to no node."""
        if not isinstance(outcome, NotConnected):
            raise unexpected(outcome)
        return self._not_given(outcome.reason)

    def _not_given(self, reason: str) -> Go:
        if self.otherwise is None:
            raise NodeFailed(f"not transferred ({reason}), and `otherwise` is not given")
        return self.otherwise


OPTIONS = TransferOptions
