"""The frame of a flow file: everything but the nodes' own options, which their types describe."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from cordboard.config.kinds import FieldName, KindWord
from cordboard.config.validation import Many, Section, Text
from cordboard.config.written_hours import Zone
from cordboard.flows.flow import AnswerWhen
from cordboard.flows.options import VariableName

MAX_NODES = 3_000

FlowName = Annotated[Text, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
NodeName = Annotated[Text, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,47}$")]
PromptName = Annotated[Text, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Language = Annotated[Text, Field(pattern=r"^[a-z]{2,3}(-[a-z0-9]{2,8})?$")]
Currency = Annotated[Text, Field(pattern=r"^[A-Z]{3}$")]
PromptText = Annotated[Text, Field(min_length=1, max_length=2_000)]


class FlowFrame(Section):
    """A flow file. `nodes` is checked node by node, each against its own type."""

    flow: FlowName = Field(description="The flow's name: small letters, digits, `-` and `_`.")
    languages: Annotated[Many[Language], Field(min_length=1)] = Field(
        default=("en",), description="The languages it speaks; a call begins in the first one."
    )
    fallback: dict[Language, Language] = Field(
        default_factory=dict,
        description="Which language stands in for another one where that has no text, or no words for a value: "
        "`{pt: es}`.",
    )
    currency: Currency | None = Field(
        default=None, description="The currency of money that is spoken, where none is named: `GBP`."
    )
    answer: AnswerWhen = Field(
        default="first_media",
        description="When the call is picked up: `first_media`, when something is first played, asked or recorded; "
        "`at_once`; `never`, then only a dialled party answers.",
    )
    start: Text | None = Field(default=None, description="The first node; the first one written if left out.")
    on_failure: Text | None = Field(
        default=None,
        description="The node that takes over, once, when another one breaks; without one the call goes to the "
        "safe destination of the dialplan.",
    )
    on_hangup: Text | None = Field(
        default=None,
        description="The node that goes on when the caller has left: only nodes that need no call run there, such "
        "as `set`, `branch`, `http`, `script` and `tag`.",
    )
    zone: Zone | None = Field(
        default=None, description="The time zone of opening hours and of times that are said, `Europe/London`."
    )
    params: dict[VariableName, KindWord] | None = Field(
        default=None,
        description="What a flow that calls this one must give, each `text`, `whole`, `number` or `yes_no`.",
    )
    returns: dict[FieldName, KindWord] | None = Field(
        default=None,
        description="What a flow that calls this one gets back, each `text`, `whole`, `number` or `yes_no`; `{}` "
        "for nothing.",
    )
    prompts: dict[PromptName, PromptText | dict[Language, PromptText]] = Field(
        default_factory=dict, description="Texts by name and language; just the text if there is one language."
    )
    nodes: dict[NodeName, Any] = Field(min_length=1, max_length=MAX_NODES, description="The steps, by name.")
