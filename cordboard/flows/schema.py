"""The frame of a flow file: everything but the nodes' own options, which their types describe."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from cordboard.config.validation import Many, Section, Text, fault
from cordboard.flows.flow import AnswerWhen

MAX_NODES = 3_000


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found, a name that leaves the database, a directory
        raise fault("unknown-zone", f"there is no time zone `{name}`", "write for instance Europe/London") from None
    return name


FlowName = Annotated[Text, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
NodeName = Annotated[Text, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,47}$")]
PromptName = Annotated[Text, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Language = Annotated[Text, Field(pattern=r"^[a-z]{2,3}(-[a-z0-9]{2,8})?$")]
Zone = Annotated[Text, AfterValidator(_zone)]
PromptText = Annotated[Text, Field(min_length=1, max_length=2_000)]


class FlowFrame(Section):
    """A flow file. `nodes` is checked node by node, each against its own type."""

    flow: FlowName
    languages: Annotated[Many[Language], Field(min_length=1)] = ("en",)
    answer: AnswerWhen = "first_media"
    start: Text | None = None
    on_failure: Text | None = None
    zone: Zone | None = None
    prompts: dict[PromptName, PromptText | dict[Language, PromptText]] = Field(default_factory=dict)
    nodes: dict[NodeName, Any] = Field(min_length=1, max_length=MAX_NODES)
