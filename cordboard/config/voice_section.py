"""The section `voice` of `cordboard.yaml`: which program speaks the prompts that nobody has recorded.

    voice:
      command: [piper, --model, voices/en_GB-alba.onnx, --output_file, "{out}"]
      wideband: true
      languages:
        es: {command: [my-tts, --lang, "{language}", --to, "{out}", --, "{text}"], deadline_s: 60}

Read with the settings; `prompts.voice` runs it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from cordboard.config.validation import Many, Section, Text, fault


def _writes(command: tuple[str, ...]) -> tuple[str, ...]:
    if not any("{out}" in argument for argument in command):
        hint = "put {out} where the program wants to know the file, for instance [say, -o, '{out}', '{text}']"
        raise fault("voice-without-file", "nothing tells this program which file to write", hint)
    return command


VoiceCommand = Annotated[Many[Text], Field(min_length=1), AfterValidator(_writes)]
VoiceLanguage = Annotated[Text, Field(pattern=r"^[a-z]{2,3}(-[a-z0-9]{2,8})?$")]
Deadline = Annotated[float, Field(gt=0, le=600)]


class VoiceProgram(Section):
    """A program that speaks one text."""

    command: VoiceCommand = Field(
        description="The program and its arguments, run without a shell: `{out}` is the sound file to write, "
        "`{language}` the language, `{text}` the text, which otherwise comes on the standard input."
    )
    deadline_s: Deadline = Field(default=20.0, description="How long it may take for one text, in seconds.")


class VoiceSection(Section):
    """Who speaks prompts that have no recording; espeak-ng without this section."""

    command: VoiceCommand | None = Field(
        default=None, description="The program for all languages that name none; espeak-ng if left out."
    )
    deadline_s: Deadline = Field(default=20.0, description="How long it may take for one text, in seconds.")
    languages: dict[VoiceLanguage, VoiceProgram] = Field(
        default_factory=dict, description="Other programs for some languages; `es` is for `es-mx` too."
    )
    wideband: bool = Field(
        default=False,
        description="Whether texts are kept at 16 kHz besides, for telephones with a wideband codec. Wideband "
        "recordings are in any case.",
    )
