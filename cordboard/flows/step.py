"""What a step through a flow gives back: the next verb, or how the run ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from cordboard.flows.conditions import Value
from cordboard.telephony.verbs import Verb

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


@dataclass(frozen=True, slots=True)
class Finish:
    """The run is over: the caller left, another flow takes the call, or the service must find it a safe place."""

    kind: Literal["hung_up", "other_flow", "failed", "transferred"]
    flow: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """Digits that live in memory only, and the node that asked for them."""

    digits: str = field(repr=False)
    asked_at: str


NOTHING_CHANGED: Mapping[str, Value] = MappingProxyType({})


class Passed(NamedTuple):
    """A node that the run left on the way. exit: which way, "" where the call ended, left the flow or broke there.

    changed: the variables it set, and their values; of a secret its name and "" only. A node that calls a flow is
    left when that has returned. A plain tuple, as one is made for every node of every call.
    """

    flow: str
    node: str
    exit: str
    changed: Mapping[str, Value] = NOTHING_CHANGED

    def __repr__(self) -> str:
        """Without values, which a log must not show."""
        return f"Passed({self.flow}/{self.node}, exit={self.exit!r})"


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next: a verb to perform, or the finish.

    entered: the nodes entered on the way, in order, perhaps of several flows.
    faults:  what broke on the way, for the log, without values.
    passed:  the nodes left on the way, in order.
    """

    run: FlowRun
    verb: Verb | None
    entered: tuple[str, ...] = ()
    finish: Finish | None = None
    faults: tuple[str, ...] = ()
    passed: tuple[Passed, ...] = ()
