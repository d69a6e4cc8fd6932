"""What a leg goes through that we have made to call somebody back, where the queue names no flow for it: the queue.

A flow like any other, made here instead of from a file, so that such a call is held, handed over and resumed as all
are. Its name says the language, its nodes the queues. Used by the reception.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cordboard.flows.flow import Flow
from cordboard.flows.node import Ask, End, Move, Node, unexpected
from cordboard.flows.run import FlowRun
from cordboard.store.callback_attempts import CalledBack
from cordboard.telephony.outcomes import AgentRung, NotServed, Outcome, Served
from cordboard.telephony.verbs import Enqueue, Hangup

DNIS = "callback"  # what the dialplan says in place of a number that was dialled
REVISION = "000000000000"  # no file has this hash
LONGEST_WAIT_S = 3_600.0

_NAME = "called-back-"
_NODE = "q-"
_BYE = "bye"
_WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class _Wait(Node):
    """Waits in the kept place, talks, and ends."""

    verb: Enqueue

    def awaits_return(self, run: FlowRun) -> bool:
        """Ringing an agent and talking go on by themselves."""
        return run.phase == _WAITING

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Wait, after a crash too."""
        return Ask(self.verb, _WAITING)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """End after a talk, and where there is none to be had; wait on where an agent did not take it."""
        match outcome:
            case Served() | NotServed() | AgentRung(result="joined"):
                return End()
            case AgentRung():
                return self.enter(run, now)
        raise unexpected(outcome)


@dataclass(frozen=True, slots=True)
class _Bye(Node):
    """Ends the call: nobody waits for it any more."""

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Hang up."""
        return Ask(Hangup())


class CalledBackBook(Protocol):
    """Who knows the legs that we have made ourselves; see `callbacks`."""

    @property
    def queues(self) -> Collection[str]:
        """The queues there are."""

    async def find(self, call_id: str) -> CalledBack | None:
        """What such a leg is to do; None if nobody waits for it any more."""

    def ended(self, call_id: str, *, by_flow: bool) -> None:
        """It has ended here. by_flow: at the end of its flow, and nobody hung up before."""


class NobodyCalledBack:
    """For a service that makes no legs."""

    queues: Collection[str] = ()

    async def find(self, call_id: str) -> CalledBack | None:
        """Nobody waits for it."""
        return None

    def ended(self, call_id: str, *, by_flow: bool) -> None:
        """Nobody minds."""


def flow_of_leg(wanted: CalledBack | None, flows: Mapping[str, Flow], queues: Collection[str]) -> Flow:
    """What a leg goes through. wanted: None if nobody waits for it. flows, queues: all there are."""
    if wanted is None:
        return _flow(_BYE, "en", queues)
    return flows.get(wanted.flow) or _flow(f"{_NODE}{wanted.queue}", wanted.language, queues)


def is_made_here(revision: str) -> bool:
    """Whether a flow is one of this kind."""
    return revision == REVISION


def flow_named(name: str, queues: Collection[str]) -> Flow:
    """A flow made here, again, for a call that comes back."""
    return _flow(_BYE, name.removeprefix(_NAME), queues)


def _flow(start: str, language: str, queues: Collection[str]) -> Flow:
    waits: dict[str, Node] = {
        f"{_NODE}{queue}": _Wait(Enqueue(queue, language, max_wait_s=LONGEST_WAIT_S)) for queue in queues
    }
    return Flow(
        name=f"{_NAME}{language}",
        revision=REVISION,
        languages=(language,),
        answer="never",
        start=start,
        on_failure="",
        zone="UTC",
        prompts={},
        nodes={**waits, _BYE: _Bye()},
        variables={},
        secrets=frozenset(),
    )
