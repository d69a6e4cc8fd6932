"""What `queues.yaml` and `agents.yaml` have in common: how they are read, and kinds of value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from cordboard.config.document import Document
from cordboard.config.validation import Many, Text, also_written, fault, written_as
from cordboard.config.yaml_reader import read_yaml


def read_if_there(directory: Path, file: str) -> Document | None:
    """The document of a file of a configuration, None if there is none. Raises ConfigurationError."""
    path = directory / file
    return read_yaml(path, shown_as=file) if path.exists() else None


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", name):
        likely = re.sub("[^a-z0-9_-]+", "_", name.lower()).strip("_-")[:32] or "sales"
        hint = f"small letters, digits, _ and -, at most 32, for instance {likely}"
        raise fault("bad-name", f"`{name}` is no name", hint)
    return name


def _label(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise fault("bad-label", "a label is one line of text")
    return text


def _without_doubles(values: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
    if twice is not None:
        raise fault("duplicate-entry", f"`{twice}` is in the list twice")
    return values


@also_written({"type": "null"})
def _defaults_for_nothing(value: Any) -> Any:
    return {} if value is None else value


Name = Annotated[Text, AfterValidator(_name)]
Label = Annotated[Text, Field(max_length=64), AfterValidator(_label)]
"""What people read and choose: a person's name, a disposition, a reason for a pause."""

Language = Annotated[Text, Field(pattern=r"^[a-z]{2,3}(-[a-z0-9]{2,8})?$")]
Spoken = Annotated[
    dict[Language, Annotated[Text, Field(min_length=1, max_length=2_000)]],
    written_as(lambda text: f'{{en: "{text}"}}'),
]
"""A text by language."""

Names = Annotated[Many[Name], AfterValidator(_without_doubles)]
Labels = Annotated[Many[Label], Field(max_length=100), AfterValidator(_without_doubles)]
AllDefaults = BeforeValidator(_defaults_for_nothing)
"""For a section of which nothing needs to be written: `sales:` alone is a queue."""
