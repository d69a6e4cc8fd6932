"""`voicemail`: takes a message for a box of the settings.

    night: {voicemail: sales, greeting: leave_message, max_s: 120, silence_s: 5, next: thanks}

The settings say where the box's messages go and who is told. A box with a `mailbox` is the PBX's own voicemail,
with the limits set there: `max_s` and `silence_s` are refused for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from cordboard.config.validation import Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Ask, End, Go, Gone, Move, Node, unexpected
from cordboard.flows.options import NodeOptions, PromptNames, Seconds, Target
from cordboard.flows.speech import Speech
from cordboard.flows.surroundings import MessageBox
from cordboard.telephony.outcomes import Done, Outcome, Recorded
from cordboard.telephony.verbs import Play, Record, VoicemailBox

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_GREETING = "greeting"
_RECORDING = "recording"
_OURS_ALONE = frozenset({"max_s", "silence_s"})


class VoicemailOptions(NodeOptions):
    """Takes a message for a box of cordboard.yaml."""

    verb: ClassVar[str] = "voicemail"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True
    needs_call: ClassVar[bool] = True

    voicemail: Text = Field(description="The box.")
    greeting: PromptNames = Field((), description="Prompts before the tone.")
    max_s: Seconds = Field(120.0, description="How long a message may be.")
    silence_s: Seconds = Field(5.0, description="Ends the message after so much silence.")
    next: Target | None = Field(
        None, description="Where then, if the caller is still there; the call ends without it."
    )

    @property
    def ends(self) -> bool:
        """The call ends after it, if nothing follows."""
        return self.next is None

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its box looked up. What only our own recording knows is refused where the PBX records."""
        box = compiler.box(self.voicemail, "voicemail")
        for name in sorted(self.model_fields_set & _OURS_ALONE if box.mailbox else ()):
            message = f"`{name}` means nothing for `{box.name}`, a mailbox of the PBX"
            compiler.report((name,), "unfit-option", message, "leave it out, and set it in the PBX", key=True)
        return VoicemailNode(
            box=box,
            greeting=compiler.speech(self.greeting, "greeting"),
            max_s=self.max_s,
            silence_s=self.silence_s,
            next=compiler.way(self.next, "next"),
        )


@dataclass(frozen=True, slots=True)
class VoicemailNode(Node):
    """Greets, records, goes on."""

    box: MessageBox
    greeting: Speech
    max_s: float
    silence_s: float
    next: Go | None

    def awaits_return(self, run: FlowRun) -> bool:
        """The PBX's own voicemail goes on by itself, and so does a recording."""
        return run.phase == _RECORDING

    def recording(self, run: FlowRun) -> Record | None:
        """What was asked for at this step, until its outcome has come."""
        return self._record_at(run.seq, run) if run.phase == _RECORDING and not self.box.mailbox else None

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """The greeting first, if there is one."""
        greeting = self.greeting.utterances(run, now)
        return Ask(Play(greeting), _GREETING) if greeting else self._record(run)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Record after the greeting, go on after the recording."""
        match outcome:
            case Done() if run.phase == _GREETING:
                return self._record(run)
            case Recorded(hung_up=True):
                return Gone()
            case Recorded() | Done() if run.phase == _RECORDING:
                return self.next or End()
        raise unexpected(outcome)

    def _record(self, run: FlowRun) -> Ask:
        if self.box.mailbox:
            return Ask(VoicemailBox(self.box.mailbox), _RECORDING)
        return Ask(self._record_at(run.seq + 1, run), _RECORDING)

    def _record_at(self, seq: int, run: FlowRun) -> Record:
        """File names are told apart by call and step, so that a second message never replaces the first."""
        return Record(self.box.folder or self.box.name, f"{run.call.call_id}-{seq}", self.max_s, self.silence_s)


OPTIONS = VoicemailOptions
