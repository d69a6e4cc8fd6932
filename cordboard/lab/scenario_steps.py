"""The steps of a caller in a scenario, one model for each; the first key of a step names it.

`scenario` reads them from YAML, `performer` carries them out. What each does to a running call is told in
docs/scenarios.md; the table there and `STEPS` are compared by a test.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from cordboard.config.validation import ITEM, Section, Text, also_written

Seconds = Annotated[float, Field(ge=0, le=3_600)]
KEYS_PATTERN = r"[0-9*#A-D]+"


Hertz = Annotated[float, Field(ge=50, le=3_900)]


@also_written(ITEM)
def one_or_many(value: Any) -> Any:
    """A single value stands for a list of one."""
    return value if isinstance(value, list | tuple) else [value]


HangupCauseWord = Literal["any", "normal", "busy", "no_answer", "rejected", "unallocated", "congestion"]
OneOrMany = Annotated[tuple[Text, ...], Field(strict=False, min_length=1), BeforeValidator(one_or_many)]


class IsAnswered(Section):
    """The call is picked up within so many seconds."""

    is_answered_within_s: Seconds = Field(description="The call is picked up within so many seconds.")


class Hears(Section):
    """These prompts, in this order, each whole. within_s: until each begins; ignoring_others: others may be too."""

    hears: OneOrMany = Field(description="These prompts, in this order, each whole.")
    within_s: Seconds = Field(default=10.0, description="Until each begins.")
    ignoring_others: bool = Field(default=False, description="Whether others may be heard too.")


class HearsBegin(Section):
    """This prompt begins; the next step comes at once, while it plays."""

    hears_begin: Text = Field(description="This prompt begins; the next step comes at once.")
    within_s: Seconds = Field(default=10.0, description="Until it begins.")
    ignoring_others: bool = Field(default=False, description="Whether others may be heard too.")


class HearsCut(Section):
    """This prompt is cut short, by a key for instance."""

    hears_cut: Text = Field(description="This prompt is cut short.")
    within_s: Seconds = Field(default=10.0, description="Until it begins.")


class HearsSilence(Section):
    """So many seconds of silence, beginning now."""

    hears_silence_s: Seconds = Field(description="So many seconds of silence, beginning now.")


class HearsSound(Section):
    """So many seconds of a sound that is no known prompt: music, a person, the PBX's own voice."""

    hears_sound_s: Seconds = Field(description="So many seconds of a sound that is no known prompt.")
    within_s: Seconds = Field(default=10.0, description="Until it begins.")


class HearsTone(Section):
    """Half a second of a tone of this frequency."""

    hears_tone_hz: Hertz = Field(description="Half a second of a tone of this frequency.")
    within_s: Seconds = Field(default=10.0, description="Until it begins.")


class HearsMusic(Section):
    """Half a second of the PBX's music on hold. hears_music: false for none during `for_s` from now on."""

    hears_music: bool = Field(description="Half a second of music on hold; `false` for none.")
    within_s: Seconds = Field(default=10.0, description="Until it begins.")
    for_s: Seconds = Field(default=1.0, description="How long there must be none.")


class Joined(Section):
    """The caller and this agent hear each other: each sends a tone of their own, and the other receives it."""

    joined: Text = Field(description="The agent whom the caller hears, and who hears the caller.")
    within_s: Seconds = Field(default=10.0, description="Until they do.")


class Presses(Section):
    """Keys, one after the other. tone_ms, gap_ms: how long each is down, and the pause after it."""

    presses: Annotated[Text, Field(pattern=f"^{KEYS_PATTERN}$", max_length=64)] = Field(
        description="Keys, one after the other."
    )
    after_s: Seconds = Field(default=0.0, description="When the first is pressed.")
    tone_ms: Annotated[int, Field(ge=40, le=5_000)] = Field(default=100, description="How long each is down.")
    gap_ms: Annotated[int, Field(ge=40, le=10_000)] = Field(default=100, description="The pause after each.")


class SpeaksTone(Section):
    """The caller sends a tone instead of silence, for so long; the next step comes at once."""

    speaks_tone_hz: Hertz = Field(description="The caller sends a tone of this frequency.")
    for_s: Seconds = Field(default=1.0, description="For how long.")


class Waits(Section):
    """Let time pass; what is heard meanwhile is not judged by this step."""

    waits_s: Seconds = Field(description="So many seconds pass; what is heard meanwhile is not judged.")


class HangsUp(Section):
    """The caller hangs up after so many seconds."""

    hangs_up_after_s: Seconds = Field(description="The caller hangs up after so many seconds.")


class IsHungUp(Section):
    """The other side ends the call, for this reason ("any" for whatever reason)."""

    is_hung_up: HangupCauseWord = Field(
        description="The other side ends the call, for this reason; `any` for whatever reason."
    )
    within_s: Seconds = Field(default=10.0, description="Until it does.")
    ignoring_others: bool = Field(default=False, description="Whether prompts may be heard meanwhile.")


class IsRefused(Section):
    """The call is never answered; this is the final SIP status."""

    is_refused: Annotated[int, Field(ge=300, le=699)] = Field(
        description="The call is never answered; this is the final SIP status."
    )
    within_s: Seconds = Field(default=10.0, description="Until it comes.")


Step = (
    IsAnswered
    | Hears
    | HearsBegin
    | HearsCut
    | HearsSilence
    | HearsSound
    | HearsTone
    | HearsMusic
    | Joined
    | Presses
    | SpeaksTone
    | Waits
    | HangsUp
    | IsHungUp
    | IsRefused
)

_MODELS: tuple[type[Step], ...] = (
    IsAnswered,
    Hears,
    HearsBegin,
    HearsCut,
    HearsSilence,
    HearsSound,
    HearsTone,
    HearsMusic,
    Joined,
    Presses,
    SpeaksTone,
    Waits,
    HangsUp,
    IsHungUp,
    IsRefused,
)

STEPS: dict[str, type[Step]] = {next(iter(model.model_fields)): model for model in _MODELS}
"""Every step by the key that names it."""


def prompts_of(step: Step) -> tuple[str, ...]:
    """The prompts a step names, as written."""
    if isinstance(step, Hears):
        return step.hears
    if isinstance(step, HearsBegin):
        return (step.hears_begin,)
    return (step.hears_cut,) if isinstance(step, HearsCut) else ()
