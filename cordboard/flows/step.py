"""What a step through a flow gives back: the next verb, or how the run ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cordboard.telephony.verbs import Verb

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


@dataclass(frozen=True, slots=True)
class Finish:
    """The run is over: the caller left, another flow takes the call, or the service must find it a safe place."""

    kind: Literal["hung_up", "other_flow", "failed"]
    flow: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """Digits that live in memory only, and the node that asked for them."""

    digits: str = field(repr=False)
    asked_at: str


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next: a verb to perform, or the finish.

    entered: the nodes entered on the way, in order; faults: what broke on the way, for the log, without values.
    """

    run: FlowRun
    verb: Verb | None
    entered: tuple[str, ...] = ()
    finish: Finish | None = None
    faults: tuple[str, ...] = ()
