"""`dial`: rings an extension the dial policy allows, and connects the caller to it.

    operator:
      dial: "0"
      ring_s: 20
      busy: leave_message
      otherwise: sorry
      next: survey
    direct: {dial: {extension_from: digits}, unknown: try_again, otherwise: operator}

next: after a conversation; the call ends without it. busy, no_answer, rejected, unreachable: each its own way,
`otherwise` for those not given; without it, the flow's `on_failure`. unknown: the digits are no extension which
the policy allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, model_validator

from cordboard.config.validation import Section, Text, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Ask, End, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.options import NodeOptions, Seconds, VariableName
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.outcomes import Connected, NotConnected, Outcome
from cordboard.telephony.verbs import Dial, Extension

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_DIALLING = "dialling"
_UNKNOWN = "unknown"
_REASONS = ("busy", "no_answer", "rejected", "unreachable", _UNKNOWN)


def _as_extension(value: Any) -> Any:
    return value if isinstance(value, dict) or value is None else {"extension": value}


class Target(Section):
    """Who is rung: an extension, or the one a variable holds."""

    extension: Text | None = None
    extension_from: VariableName | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.extension is None) == (self.extension_from is None):
            raise fault("dial-one-target", "give either `extension` or `extension_from`")
        return self


class DialOptions(NodeOptions):
    """See the module."""

    verb: ClassVar[str] = "dial"

    dial: Annotated[Target, BeforeValidator(_as_extension)]
    ring_s: Seconds = 20.0  # about four rings
    next: Text | None = None
    busy: Text | None = None
    no_answer: Text | None = None
    rejected: Text | None = None
    unreachable: Text | None = None
    unknown: Text | None = None
    otherwise: Text | None = None

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its target looked up, as far as it is known before the call."""
        branches = {reason: compiler.target(getattr(self, reason), reason) for reason in _REASONS}
        return DialNode(
            target=self._compile_target(compiler),
            policy=compiler.dial_policy,
            ring_s=self.ring_s,
            next=compiler.target(self.next, "next"),
            branches={reason: node for reason, node in branches.items() if node},
            otherwise=compiler.target(self.otherwise, "otherwise"),
        )

    def _compile_target(self, compiler: NodeCompiler) -> Extension | str:
        if self.dial.extension is not None:
            return compiler.extension(self.dial.extension, "dial", "extension")
        return compiler.variable(self.dial.extension_from or "", "dial", "extension_from")


@dataclass(frozen=True, slots=True)
class DialNode(Node):
    """Rings and connects. target: an extension, or the name of the variable that holds its digits."""

    target: Extension | str
    policy: DialPolicy
    ring_s: float
    next: str
    branches: Mapping[str, str]
    otherwise: str

    def awaits_return(self, run: FlowRun) -> bool:
        """Ringing and talking go on by themselves."""
        return run.phase == _DIALLING

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Ring, or go the way for digits that are no extension."""
        target = self._target(run)
        return Ask(Dial(target, self.ring_s), _DIALLING) if target else self._not_connected(_UNKNOWN)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """After a conversation, or without one."""
        match outcome:
            case Connected():
                return Go(self.next) if self.next else End()
            case NotConnected(reason):
                return self._not_connected(reason)
        raise unexpected(outcome)

    def _target(self, run: FlowRun) -> Extension | None:
        if isinstance(self.target, Extension):
            return self.target
        return self.policy.resolve(str(run.variables.get(self.target, "")))

    def _not_connected(self, reason: str) -> Go:
        node = self.branches.get(reason, self.otherwise)
        if not node:
            raise NodeFailed(f"not connected ({reason}), and neither `{reason}` nor `otherwise` is given")
        return Go(node)


OPTIONS = DialOptions
