"""The nodes behind `record`: begin and steer the recording of a call, and take a message.

Made from the options in `nodes/record`. What is recorded where, and that it survives a lost worker, is the switch's
matter; here is only what is asked for in which order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from cordboard.flows.node import Ask, Go, Gone, Move, Node, unexpected
from cordboard.flows.speech import Speech
from cordboard.telephony.outcomes import Done, Gathered, NoInput, Outcome, Recorded
from cordboard.telephony.verbs import Gather, Play, Record, RecordCall

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_ANNOUNCING = "announcing"
_ASKING = "asking"
_STARTING = "starting"
_RECORDING = "recording"
_SHORTEST_S = 1.0  # as for voicemail: a shorter one is somebody who waits for the tone to be over


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a caller says no. ask: the question, without its prompts."""

    ask: Gather
    key: str
    then: Go


@dataclass(frozen=True, slots=True)
class RecordCallNode(Node):
    """Tells the caller, lets them say no, and begins. announcement: None where the caller has been told before."""

    announcement: Speech | None
    refusal: Refusal | None
    next: Go

    def enter(self, run: FlowRun, now: datetime) -> Ask:
        """The announcement first. Keys pressed before it say nothing about it."""
        if self.announcement is None:
            return _start(run)
        prompts = self.announcement.utterances(run, now)
        if self.refusal is None:
            return Ask(Play(prompts), _ANNOUNCING)
        return Ask(replace(self.refusal.ask, prompts=prompts), _ASKING)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Record, unless the caller has said no."""
        match outcome:
            case Gathered(digits) if self.refusal and run.phase == _ASKING and digits == self.refusal.key:
                return self.refusal.then
            case Gathered() | NoInput() if run.phase == _ASKING:
                return _start(run)
            case Done() if run.phase == _ANNOUNCING:
                return _start(run)
            case Done() if run.phase == _STARTING:
                return self.next
        raise unexpected(outcome)


def _start(run: FlowRun) -> Ask:
    """One file a call: what is recorded later goes behind it."""
    return Ask(RecordCall("start", run.call.call_id), _STARTING)


@dataclass(frozen=True, slots=True)
class SteerRecordingNode(Node):
    """Pauses, resumes or stops the recording of the call."""

    verb: RecordCall
    next: Go

    def enter(self, run: FlowRun, now: datetime) -> Ask:
        """Ask for it."""
        return Ask(self.verb)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Go:
        """It is so."""
        if not isinstance(outcome, Done):
            raise unexpected(outcome)
        return self.next


@dataclass(frozen=True, slots=True)
class MessageNode(Node):
    """Takes a message and keeps where it is. record: the verb, without the name of its file."""

    speech: Speech | None
    record: Record
    save: str
    next: Go
    nothing: Go

    def awaits_return(self, run: FlowRun) -> bool:
        """The switch goes on recording by itself."""
        return run.phase == _RECORDING

    def recording(self, run: FlowRun) -> Record | None:
        """What was asked for at this step, until its outcome has come."""
        return self._record_at(run.seq, run) if run.phase == _RECORDING else None

    def enter(self, run: FlowRun, now: datetime) -> Ask:
        """The prompts first, if there are any."""
        return Ask(Play(self.speech.utterances(run, now)), _ASKING) if self.speech else self._listen(run)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Record after the prompts, go on after the recording."""
        match outcome:
            case Done() if run.phase == _ASKING:
                return self._listen(run)
            case Recorded(hung_up=True):
                return Gone()
            case Recorded(path, duration_s):
                return self._keep(path, duration_s)
        raise unexpected(outcome)

    def _keep(self, path: str, duration_s: float) -> Go:
        """A message that was too short to be kept has no file."""
        if duration_s < _SHORTEST_S:
            return self.nothing.keeping({f"{self.save}.file": "", f"{self.save}.seconds": 0.0})
        return self.next.keeping({f"{self.save}.file": path, f"{self.save}.seconds": duration_s})

    def _listen(self, run: FlowRun) -> Ask:
        return Ask(self._record_at(run.seq + 1, run), _RECORDING)

    def _record_at(self, seq: int, run: FlowRun) -> Record:
        """File names are told apart by call and step, so that a second message never replaces the first."""
        return replace(self.record, file=f"{run.call.call_id}-{seq}")
