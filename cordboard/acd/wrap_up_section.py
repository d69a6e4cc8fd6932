"""`wrap_up` of a queue: the time for notes after a talk, and what ends it.

    wrap_up: {s: 20}
    wrap_up: {s: 20, mode: extendable, at_most_s: 180}
    wrap_up: {mode: mandatory, at_most_s: 300}

Read by `queues_file`.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from cordboard.acd.model import Queue, WrapUpMode
from cordboard.config.validation import Section, fault

_QUEUE = Queue("")  # the defaults
LONGEST_EXTENDED_S = 300.0  # where the file says nothing: five minutes of notes are a long time


class WrapUp(Section):
    """Time for notes after a talk."""

    s: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=_QUEUE.wrap_up_s, description="Time for notes after a talk, before the next call."
    )
    mode: WrapUpMode = Field(
        default=_QUEUE.wrap_up_mode,
        description="`fixed`: it ends by itself; `extendable`: the agent can ask for more time; `mandatory`: it "
        "lasts until a disposition is chosen.",
    )
    at_most_s: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        default=None,
        description="How long it may last in all: 300 without it if `extendable`, without limit if `mandatory`.",
    )
    early_exit: bool = Field(
        default=_QUEUE.wrap_up_early_exit, description="Whether a disposition ends it before its time."
    )

    @model_validator(mode="after")
    def _fits_its_mode(self) -> Self:
        if self.at_most_s is not None and self.mode == "fixed":
            hint = "write `mode: extendable`, or `s` alone"
            raise fault("no-effect", "`at_most_s` means nothing: a `fixed` wrap-up lasts for `s`", hint)
        if not self.early_exit and self.mode == "mandatory":
            raise fault("no-effect", "a `mandatory` wrap-up ends with the disposition", "take `early_exit` out")
        if self.mode == "extendable" and self.at_most <= self.s:
            message = f"`at_most_s` {self.at_most:g} leaves nothing to extend: `s` is {self.s:g}"
            raise fault("out-of-range", message, "give it more than `s`")
        return self

    @property
    def at_most(self) -> float:
        """The same, 0.0 for no limit."""
        return self.at_most_s or (LONGEST_EXTENDED_S if self.mode == "extendable" else 0.0)
