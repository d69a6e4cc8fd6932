"""`voicemail`: takes a message for a box of the settings.

    night: {voicemail: sales, greeting: leave_message, max_s: 120, silence_s: 5, next: thanks}

The settings say where the box's messages go and who is told. A box of the PBX's own voicemail keeps its own
limits. next: for a caller who is still there afterwards; the call ends without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from cordboard.config.validation import Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Ask, End, Go, Gone, Move, Node, unexpected
from cordboard.flows.options import NodeOptions, PromptNames, Seconds
from cordboard.flows.surroundings import MessageBox
from cordboard.telephony.outcomes import Done, Outcome, Recorded
from cordboard.telephony.verbs import Play, Record, VoicemailBox

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_GREETING = "greeting"
_RECORDING = "recording"


class VoicemailOptions(NodeOptions):
    """See the module."""

    verb: ClassVar[str] = "voicemail"

    voicemail: Text
    greeting: PromptNames = ()
    max_s: Seconds = 120.0
    silence_s: Seconds = 5.0
    next: Text | None = None

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its box looked up."""
        prompts = compiler.prompts(self.greeting, "greeting")
        return VoicemailNode(
            box=compiler.box(self.voicemail, "voicemail"),
            greetings=compiler.per_language(lambda language: Play(prompts[language])),
            max_s=self.max_s,
            silence_s=self.silence_s,
            next=compiler.target(self.next, "next"),
        )


@dataclass(frozen=True, slots=True)
class VoicemailNode(Node):
    """Greets, records, goes on."""

    box: MessageBox
    greetings: Mapping[str, Play]
    max_s: float
    silence_s: float
    next: str

    def awaits_return(self, run: FlowRun) -> bool:
        """The PBX's own voicemail goes on by itself, and so does a recording."""
        return run.phase == _RECORDING

    def recording(self, run: FlowRun) -> Record | None:
        """What was asked for at this step, until its outcome has come."""
        return self._record_at(run.seq, run) if run.phase == _RECORDING and not self.box.mailbox else None

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """The greeting first, if there is one."""
        greeting = self.greetings[run.language]
        return Ask(greeting, _GREETING) if greeting.prompts else self._record(run)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Record after the greeting, go on after the recording."""
        match outcome:
            case Done() if run.phase == _GREETING:
                return self._record(run)
            case Recorded(hung_up=True):
                return Gone()
            case Recorded() | Done() if run.phase == _RECORDING:
                return Go(self.next) if self.next else End()
        raise unexpected(outcome)

    def _record(self, run: FlowRun) -> Ask:
        if self.box.mailbox:
            return Ask(VoicemailBox(self.box.mailbox), _RECORDING)
        return Ask(self._record_at(run.seq + 1, run), _RECORDING)

    def _record_at(self, seq: int, run: FlowRun) -> Record:
        """File names are told apart by call and step, so that a second message never replaces the first."""
        return Record(self.box.folder or self.box.name, f"{run.call.call_id}-{seq}", self.max_s, self.silence_s)


OPTIONS = VoicemailOptions
