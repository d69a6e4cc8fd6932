"""What a simulated call is given: when it is, who calls, and what everything outside the flow will say.

Written as `given:` in flow tests, and built from the options of `cordboard simulate`. What is left out has a kind
default: the caller is a stranger, agents and dialled phones answer, callbacks are booked, PINs are right. Only
what cannot be guessed has none: answers of web services and scripts.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cordboard.config.validation import ITEM, Many, Section, Text, also_written, fault
from cordboard.flows.options import literal

DEFAULT_TIME = "2026-11-23 12:00"  # a Monday noon: a test without a time gives the same result for ever
_TIME_FORMS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")

CrmWord = Literal["none", "error", "slow"]
NotReached = Literal["busy", "no_answer", "rejected", "unreachable", "refused"]
CallbackWord = Literal["booked", "number", "already", "full", "no_store"]
AgentWas = Literal["logged_out", "paused", "available", "wrapping_up"]
AgentWord = Literal["done", "unknown", "too_many", "full", "not_possible", "no_store"]
QueueWord = Literal["nobody", "no_store", "full", "empty", "closed", "overflow"]
Value = Annotated[str | int | float | bool, AfterValidator(literal)]
Fields = dict[Text, Value]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


def local_time(text: str) -> datetime:
    """A time on the wall, without its zone. Raises ValueError."""
    for form in _TIME_FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007, the zone is that of the configuration
        except ValueError:
            continue
    raise ValueError(text)


def _time(text: str) -> str:
    try:
        local_time(text)
    except ValueError:
        raise fault("bad-time", f"`{text}` is no time", f'write for instance "{DEFAULT_TIME}"') from None
    return text


def _as_json(value: Any) -> Any:
    """Plain values, without what YAML remembers of how they were written."""
    return json.loads(json.dumps(value))


@also_written(ITEM)
def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, dict | str) else value


class HttpReply(Section):
    """What a web service answers to requests that fit."""

    path: Annotated[Text | None, Field(description="Only requests of this path, `/orders/12`.")] = None
    method: Annotated[Text | None, Field(description="Only requests of this method, `POST`.")] = None
    status: Annotated[int, Field(ge=100, le=599, description="The status of the answer.")] = 200
    answer: Annotated[Any, AfterValidator(_as_json), Field(description="The JSON of the answer.")] = None
    values: Annotated[
        Fields | None, Field(description="Instead of `answer`: the values that the node takes from it, by name.")
    ] = None
    fails: Annotated[
        Literal["timeout", "refused"] | None, Field(description="No answer at all: too late, or no connection.")
    ] = None
    times: Annotated[int | None, Field(ge=1, description="For so many requests; then the next one is used.")] = None


class ScriptReply(Section):
    """What a script does."""

    returns: Annotated[Fields, Field(description="The values that it returns, by name.")] = Field(
        default_factory=dict
    )
    fails: Annotated[Literal["raises", "timeout"] | None, Field(description="It raises, or takes too long.")] = None


class Answers(Section):
    """A dialled phone that is picked up."""

    answers_after_s: Annotated[Seconds, Field(description="How long it rings.")] = 5.0
    talks_s: Annotated[Seconds, Field(description="How long they talk before the other side hangs up.")] = 30.0


class Serves(Section):
    """What becomes of a caller who waits in a queue."""

    agent: Annotated[Text | None, Field(description="Who serves; the queue's first agent if left out.")] = None
    after_s: Annotated[Seconds, Field(description="How long the caller waits.")] = 20.0
    talks_s: Annotated[Seconds, Field(description="How long they talk before the agent hangs up.")] = 60.0


class Given(Section):
    """See the module."""

    at: Annotated[
        Text,
        AfterValidator(_time),
        Field(description='When the call begins, "2026-12-24 17:30", in the local zone.'),
    ] = DEFAULT_TIME
    ani: Annotated[Text, Field(description='The caller\'s number; "" for one that is withheld.')] = "+442079460123"
    name: Annotated[Text, Field(description="The name that the trunk sends.")] = ""
    dnis: Annotated[
        Text | None, Field(description="The number that is dialled; one of the flow's if left out.")
    ] = None
    crm: Annotated[
        CrmWord | Fields | Many[Fields],
        Field(description="The customer's fields, a list for several customers, or `none`, `error`, `slow`."),
    ] = "none"
    customers: Annotated[
        dict[Text, Fields], Field(description="Customers by number, for look-ups of other numbers.")
    ] = Field(default_factory=dict)
    http: Annotated[
        dict[Text, Annotated[Many[HttpReply], BeforeValidator(_one_or_many)]],
        Field(description="What each web service answers; the first reply that fits is used."),
    ] = Field(default_factory=dict)
    scripts: Annotated[
        dict[Text, Annotated[Many[ScriptReply], BeforeValidator(_one_or_many)]],
        Field(description="What each script does; of several the first time, the second time, and so on."),
    ] = Field(default_factory=dict)
    dial: Annotated[
        dict[Text, NotReached | Answers],
        Field(description="What becomes of a dialled extension, number or agent; they answer if left out."),
    ] = Field(default_factory=dict)
    queues: Annotated[
        dict[Text, QueueWord | Serves],
        Field(
            description="What becomes of callers in a queue, `nobody` for the longest wait; its first agent comes "
            "after 20 s if left out."
        ),
    ] = Field(default_factory=dict)
    callback: Annotated[CallbackWord, Field(description="`booked`, or why no callback can be.")] = "booked"
    agent_line: Annotated[
        Many[AgentWord],
        BeforeValidator(_one_or_many),
        Field(
            min_length=1,
            description="What an agent who calls in is told each time they do something: `done`, or why it cannot "
            "be; the last one for ever.",
        ),
    ] = ("done",)
    agent_was: Annotated[
        AgentWas, Field(description="What the agent who calls in was before; `wrapping_up`: and available.")
    ] = "logged_out"
    breaks: Annotated[
        Many[Text], Field(description="Nodes whose verb the switch or the service cannot carry out.")
    ] = ()

    def moment(self, zone: ZoneInfo) -> datetime:
        """When the call begins."""
        return local_time(self.at).replace(tzinfo=zone)

    @model_validator(mode="before")
    @classmethod
    def _crm_word(cls, data: Any) -> Any:
        """One message for a word that means nothing, instead of three about types."""
        crm = data.get("crm") if isinstance(data, dict) else None
        if isinstance(crm, str) and crm not in get_args(CrmWord):
            hint = "write `none`, `error`, `slow`, or fields: `crm: {tier: gold}`"
            raise fault("wrong-value", f"`crm: {crm}` is no answer of a CRM", hint)
        return data

    def over(self, other: Given) -> Given:
        """This, with what `other` says more than the defaults."""
        return other.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})
