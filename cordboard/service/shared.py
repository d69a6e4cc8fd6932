"""What every conversation of a worker shares: the parts of the service that it uses, as it sees them.

Filled in by `reception`, used by `conversation`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from cordboard.service.crossing import Crossing
from cordboard.service.metrics import Metrics
from cordboard.service.outside_caps import OutsideCaps
from cordboard.service.tracing import NoTrace, TraceSink
from cordboard.store.acd_values import CallerNote
from cordboard.store.flow_runs import FlowRuns
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Failed, HandedOver, Outcome, Recorded
from cordboard.telephony.ports import Phone
from cordboard.telephony.verbs import (
    ActAsAgent,
    Enqueue,
    HttpRequest,
    LookUp,
    Note,
    Record,
    RequestCallback,
    RunScript,
)


class MessageTaker(Protocol):
    """Where what callers say is kept; see `messages`."""

    async def begins(self, call: Call, verb: Record) -> None:
        """The recording is about to begin."""

    def left(self, call: Call, verb: Record, recorded: Recorded) -> None:
        """The recording has ended."""

    async def found(self, call: Call, verb: Record) -> Recorded | None:
        """What was recorded for a verb whose worker was lost; None if it had not begun."""


class Queueing(Protocol):
    """Where callers wait for agents; see `waiting_room`."""

    async def wait(
        self,
        phone: Phone,
        verb: Enqueue,
        checkpoint: str,
        caller: Callable[[], CallerNote],
        *,
        seq: int = 0,
        came_as: int = 0,
    ) -> Outcome | HandedOver:
        """Keep a caller until an agent's phone is rung, the wait is over, or the caller leaves.

        seq: the number of this step in the checkpoint; came_as: that with which the call has come here to go on
        waiting, from a worker that may have died; 0 if it has not.
        """


class CallerBook(Protocol):
    """Who the callers are; see `callers`."""

    def note(self, call: Call, path: tuple[str, ...]) -> CallerNote:
        """What is known of a caller now."""

    async def look_up(self, call: Call, verb: LookUp) -> Outcome:
        """Wait for what the CRM says, no longer than the verb allows."""


class ErrandRunner(Protocol):
    """Who does what needs no phone; see `errands`."""

    async def run(self, call: Call, verb: HttpRequest | RunScript | Note | RequestCallback | ActAsAgent) -> Outcome:
        """Do it, within a deadline of its own. May be cancelled at any moment."""


class NoErrands:
    """Does nothing: for tests of everything else."""

    async def run(self, call: Call, verb: HttpRequest | RunScript | Note | RequestCallback | ActAsAgent) -> Outcome:
        """It has failed."""
        return Failed(f"nobody does a {type(verb).__name__} here")


@dataclass(frozen=True)
class Shared:
    """is_draining: asked between verbs; recording: the tasks of calls whose caller speaks now."""

    runs: FlowRuns
    metrics: Metrics
    messages: MessageTaker
    queueing: Queueing
    callers: CallerBook
    is_draining: Callable[[], bool]
    errands: ErrandRunner = field(default_factory=NoErrands)
    trace: TraceSink = field(default_factory=NoTrace)
    caps: OutsideCaps = field(default_factory=OutsideCaps)
    crossing: Crossing = field(default_factory=Crossing)
    recording: set[asyncio.Task[Any]] = field(default_factory=set)
