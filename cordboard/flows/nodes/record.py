"""`record`: records the call, both sides, or a message the caller speaks.

    announce: {record: call, consent: this_call_is_recorded, opt_out: {key: "9", then: not_recorded}, next: menu}
    later:    {record: call, consent: given_before, next: sales}
    hush:     {record: pause, next: card_number}
    on_again: {record: resume, next: menu}
    enough:   {record: stop, next: survey}
    address:  {record: message, greeting: where_to, save: address, max_s: 60, next: read_back, nothing: ask_again}

A call is recorded from that moment to its end, whoever joins it and whatever becomes of the service meanwhile, into
`recordings/CALL_ID.wav` of the state folder. Nobody is recorded who has not been told: `consent` names the prompt
that says so, which this node plays first; `given_before` stands where another node has said it. While secret digits
are gathered the recording pauses by itself. A message is kept as `address.file` and `address.seconds`; less than a
second counts as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from cordboard.config.validation import Section, Text, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Go, Node
from cordboard.flows.options import Declaration, NodeOptions, PromptNames, Seconds, Target, VariableName
from cordboard.flows.recording import MessageNode, RecordCallNode, Refusal, SteerRecordingNode
from cordboard.telephony.verbs import Gather, Record, RecordCall

GIVEN_BEFORE = "given_before"

_FOLDER = "flow.messages"  # no voicemail box can be called so

Action = Literal["call", "pause", "resume", "stop", "message"]
Key = Annotated[Text, Field(pattern=r"^[0-9*#]$")]
EndKey = Annotated[Text, Field(pattern=r"^[0-9*#]?$")]

_FITS: dict[str, frozenset[str]] = {
    "call": frozenset({"consent", "opt_out"}),
    "message": frozenset({"greeting", "save", "nothing", "max_s", "silence_s", "end_key", "beep"}),
}
_SPECIAL = frozenset().union(*_FITS.values())


class OptOut(Section):
    """How a caller says no to being recorded."""

    key: Key = Field(description="The key that says no.")
    then: Target = Field(description="Where then; nothing is recorded.")
    after_s: Seconds = Field(2.0, description="How long to wait for the key after the prompt.")


class RecordOptions(NodeOptions):
    """Records the call, both sides, or a message the caller speaks."""

    verb: ClassVar[str] = "record"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True
    needs_call: ClassVar[bool] = True

    record: Action = Field(
        description="`call` records both sides from here on; `pause`, `resume`, `stop` are about that recording; "
        "`message` records what the caller says now."
    )
    consent: PromptNames = Field(
        (), description="The prompt that tells the caller of the recording, or `given_before` if another node has."
    )
    opt_out: OptOut | None = Field(None, description="The key by which a caller says no, and where that leads.")
    greeting: PromptNames = Field((), description="Prompts before the tone of a message.")
    save: VariableName = Field("message", description="What a message is kept under: `.file`, `.seconds`.")
    max_s: Seconds = Field(120.0, description="How long a message may be.")
    silence_s: Seconds = Field(5.0, description="Ends a message after so much silence.")
    end_key: EndKey = Field("#", description='Ends a message; `""` for none.')
    beep: bool = Field(True, description="Whether a tone says when to speak.")
    nothing: Target | None = Field(None, description="Where if the caller said nothing; `next` without it.")
    next: Target = Field(description="Where then.")

    @model_validator(mode="after")
    def _fits_action(self) -> Self:
        unfit = sorted((self.model_fields_set & _SPECIAL) - _FITS.get(self.record, frozenset()))
        if unfit:
            raise fault("unfit-option", f"`{unfit[0]}` has no meaning for `record: {self.record}`", "leave it out")
        if self.record == "call" and not self.consent:
            hint = "name the prompt that says so, `consent: this_call_is_recorded`, or `given_before` if one has"
            raise fault("record-without-consent", "the caller must be told before the call is recorded", hint)
        if self.opt_out and self._is_given_before:
            hint = "ask for the key where the recording is announced"
            raise fault("unfit-option", "`opt_out` has no meaning without a prompt", hint)
        return self

    @property
    def _is_given_before(self) -> bool:
        return self.consent == (GIVEN_BEFORE,)

    def declares(self) -> Iterator[Declaration]:
        """What a message comes to."""
        if self.record == "message":
            keys = ("save",) if "save" in self.model_fields_set else ("record",)
            yield Declaration(f"{self.save}.file", keys, kind="string", is_extra=True)
            yield Declaration(f"{self.save}.seconds", keys, kind="double", is_extra=True)

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node of the action."""
        next_ = compiler.way(self.next, "next")
        if self.record == "message":
            return self._compile_message(compiler, next_)
        if self.record == "call":
            return self._compile_call(compiler, next_)
        return SteerRecordingNode(RecordCall(self.record), next_)

    def _compile_call(self, compiler: NodeCompiler, next_: Go) -> RecordCallNode:
        speech = None if self._is_given_before else compiler.speech(self.consent, "consent")
        opt_out = self.opt_out
        if opt_out is None:
            return RecordCallNode(speech, None, next_)
        ask = Gather((), max_digits=1, first_digit_s=opt_out.after_s, inter_digit_s=1.0)
        refusal = Refusal(ask, opt_out.key, compiler.way(opt_out.then, "opt_out", "then"))
        return RecordCallNode(speech, refusal, next_)

    def _compile_message(self, compiler: NodeCompiler, next_: Go) -> MessageNode:
        return MessageNode(
            speech=compiler.speech(self.greeting, "greeting") if self.greeting else None,
            record=Record(_FOLDER, "", self.max_s, self.silence_s, self.end_key, self.beep),
            save=self.save,
            next=next_,
            nothing=compiler.way(self.nothing, "nothing") or next_,
        )


OPTIONS = RecordOptions
