"""Who a flow may ring, as admins write it: an extension, an agent, an outside number, or digits a variable holds.

Used by the nodes `dial` and `transfer`. What is known when the flow loads is checked against the dial policy then;
what a caller typed, in the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from cordboard.config.validation import AS_TEXT, Section, Text, also_written, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.verbs import DialTarget, OutsideNumber

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

Missing = Literal["unknown", "refused"]
"""Why there is nobody to ring: no such extension; a number which the dial policy does not allow."""


class WrittenTarget(Section):
    """One target: exactly one of these keys."""

    choices: ClassVar[tuple[str, ...]] = ("extension", "extension_from", "agent", "number", "number_from")

    extension: Text | None = Field(default=None, description="An extension which the dial policy allows.")
    extension_from: Text | None = Field(default=None, description="The variable that holds an extension.")
    agent: Text | None = Field(default=None, description="An agent of agents.yaml, rung past all queues.")
    number: Text | None = Field(
        default=None, description='A number of the telephone network, "+44 20 7946 0123", which `outside` allows.'
    )
    number_from: Text | None = Field(default=None, description="The variable that holds such a number.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(getattr(self, name) not in (None, ()) for name in self.choices) != 1:
            names = " or ".join((", ".join(f"`{name}`" for name in self.choices[:-1]), f"`{self.choices[-1]}`"))
            raise fault("dial-one-target", f"give exactly one of {names}")
        return self


@dataclass(frozen=True, slots=True)
class Who:
    """Whom a flow rings. known: if that is known before the call; else the variable whose digits say it.

    missing: why, if what the variable holds can be no target.
    """

    known: DialTarget | None
    variable: str = ""
    resolve: Callable[[str], DialTarget | None] | None = None
    missing: Missing = "unknown"

    def find(self, run: FlowRun) -> DialTarget | None:
        """The target now; None for digits that are none, or are not allowed, and for what is gone since (a call may
        be on a revision that is older than the settings).
        """
        if self.known is not None or self.resolve is None:
            return self.known if self.known is not None and self.known.device else None
        return self.resolve(str(run.variables.get(self.variable, "")))


@also_written(AS_TEXT)
def as_extension(value: Any) -> Any:
    """The short form: what is written without a key is an extension."""
    return value if isinstance(value, dict | Section) or value is None else {"extension": value}


def who_is_written(compiler: NodeCompiler, target: WrittenTarget, *keys: str | int) -> Who:
    """The target that stands there; faults are reported, a switch whose callers could not be joined to it too."""
    who = _who(compiler, target, *keys)
    written = next(name for name in target.choices if getattr(target, name) not in (None, ()))
    for device, is_outside in _devices(who, compiler.dial_policy):
        compiler.check_reach(device, *keys, written, is_outside=is_outside)
    return who


def _devices(who: Who, policy: DialPolicy) -> Iterator[tuple[str, bool]]:
    """What could ring, and whether it is a trunk to the telephone network."""
    if who.known is not None:
        if who.known.device:
            yield who.known.device, isinstance(who.known, OutsideNumber)
    elif who.missing == "refused":
        if policy.outside is not None:
            yield policy.outside.device, True
    else:
        for rule in policy.rules:
            yield rule.device, False


def _who(compiler: NodeCompiler, target: WrittenTarget, *keys: str | int) -> Who:
    policy = compiler.dial_policy
    if target.extension is not None:
        return Who(compiler.extension(target.extension, *keys, "extension"))
    if target.agent is not None:
        return Who(compiler.agent(target.agent, *keys, "agent"))
    if target.number is not None:
        return Who(compiler.number(target.number, *keys, "number"))
    if target.extension_from is not None:
        return Who(None, compiler.variable(target.extension_from, *keys, "extension_from"), policy.resolve)
    variable = compiler.variable(target.number_from or "", *keys, "number_from")
    return Who(None, variable, policy.resolve_number, "refused")
