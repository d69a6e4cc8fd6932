"""What the caller of a flow test does, one model for each step; the first key of a step names it.

`flow_tests` reads them from YAML, `acting` carries them out. docs/flow_tests.md tells what each does; the table
there and `STEPS` are compared by a test.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from cordboard.config.validation import ITEM, Section, Text, also_written
from cordboard.simulation.given import Seconds

_KEYS = r"^[0-9*#]{1,64}$"


@also_written(ITEM)
def _one_or_many(value: object) -> object:
    return value if isinstance(value, list | tuple) or value is None else [value]


PromptNames = Annotated[tuple[Text, ...], Field(strict=False, min_length=1), BeforeValidator(_one_or_many)]


class Hears(Section):
    """Hears this, to its end."""

    hears: PromptNames = Field(description="A prompt, or several one after the other; others may come before each.")


class HearsBegin(Section):
    """Hears the beginning of this: what the caller does next falls into it."""

    hears_begin: Annotated[Text, Field(description="A prompt.")]


class HearsText(Section):
    """Hears these words, values among them as they are shown."""

    hears_text: Annotated[Text, Field(min_length=1, description="Words; capitals do not count.")]


class Presses(Section):
    """Presses keys, as soon as somebody listens."""

    presses: Annotated[
        Text, Field(pattern=_KEYS, description="One entry: a key of a menu, or all digits of a number.")
    ]


class Waits(Section):
    """Does nothing."""

    waits: Annotated[
        Seconds, Field(gt=0, description="Seconds of silence; time in which something is said is extra.")
    ]


class Speaks(Section):
    """Says something into a recording."""

    speaks: Annotated[Seconds, Field(gt=0, description="For so many seconds.")]


class Joined(Section):
    """Waits until somebody answers."""

    joined: Annotated[Text, Field(description="An agent, or who was dialled.")]


class HangsUp(Section):
    """Leaves the call now."""

    hangs_up: Annotated[Literal[True], Field(description="`true`.")]


Step = Hears | HearsBegin | HearsText | Presses | Waits | Speaks | Joined | HangsUp
_MODELS: tuple[type[Step], ...] = (Hears, HearsBegin, HearsText, Presses, Waits, Speaks, Joined, HangsUp)
STEPS: dict[str, type[Step]] = {next(iter(model.model_fields)): model for model in _MODELS}
"""Every step by the key that names it."""


def prompts_of(step: Step) -> tuple[str, ...]:
    """The prompts a step names, as written."""
    if isinstance(step, Hears):
        return step.hears
    return (step.hears_begin,) if isinstance(step, HearsBegin) else ()
