"""The `scripts` and `script_pool` sections of cordboard.yaml: Python functions that flows may run.

    scripts:
      price: {entry: "prices:quote", params: {order: text}, returns: {price: number}, secrets: [pin], timeout_s: 2}

Part of `settings`; read by `service.scripts`. The function is called with the arguments by name, and returns a
mapping with the declared values:

    def quote(*, order: str, pin: str) -> dict: return {"price": 12.5}
"""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from cordboard.config.kinds import FieldName, KindWord
from cordboard.config.validation import Many, Section, Text, fault

FOLDER = "scripts"
"""Of the configuration directory: where scripts are looked for before installed packages."""

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"


def _entry(text: str) -> str:
    if not re.fullmatch(rf"{_NAME}(\.{_NAME})*:{_NAME}", text):
        hint = f'write module:function, for instance "prices:quote" for a function in {FOLDER}/prices.py'
        raise fault("bad-entry", f"`{text}` names no Python function", hint)
    return text


class Script(Section):
    """A Python function that flows may run."""

    entry: Annotated[Text, AfterValidator(_entry)] = Field(
        description="The function, as package.module:function, in the folder `scripts` or in an installed package."
    )
    params: dict[FieldName, KindWord] = Field(
        default_factory=dict, description="What it is given, by name, and of which type."
    )
    returns: dict[FieldName, KindWord] = Field(
        default_factory=dict, description="What it returns, by name, and of which type."
    )
    secrets: Many[FieldName] = Field(
        default=(),
        description="Parameters more, which take the digits of a secret gather as text and nothing else.",
    )
    timeout_s: Annotated[float, Field(gt=0, le=10)] = Field(
        default=2.0, description="How long it may take before it is killed; the caller hears nothing meanwhile."
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        for name in self.secrets:
            if name in self.params or self.secrets.count(name) > 1:
                raise fault("param-twice", f"`{name}` is written twice", "a secret stands in `secrets` alone, once")
        return self


class ScriptPoolSection(Section):
    """The processes in which scripts run, for each worker."""

    processes: Annotated[int, Field(ge=1, le=32)] = Field(
        default=2,
        description="How many scripts may run at once; the next one waits for its turn, within its own time.",
    )
    memory_mb: Annotated[int, Field(ge=64, le=65_536)] = Field(
        default=512, description="How much memory one process may ask for."
    )
