"""`queues.yaml` as queues: every key an admin may write, with its limits and its default.

    queues:
      sales:
        ring_s: 15
        max_wait_s: 600
        wrap_up: {s: 20}
        service_level: {s: 20, formula: of_offered}
        accept: {key: 1, whisper: {en: A call for sales. Press 1.}}

Read by `floor_plan`. The defaults are those of the `model`, so a queue in a test and one in a file are alike; but a
queue of a file whose agents must press a key always tells them so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cordboard.acd.app_queue_words import OPTIONS
from cordboard.acd.capacity_section import Contacts
from cordboard.acd.model import AcceptStep, Queue, ServiceLevelFormula
from cordboard.acd.rona_section import Rona
from cordboard.acd.wrap_up_section import WrapUp
from cordboard.acd.written_announcements import Announce, position_example
from cordboard.acd.written_callbacks import Calling, CutOff
from cordboard.acd.written_compat import Compat
from cordboard.acd.written_routing import Routing
from cordboard.acd.written_values import AllDefaults, Labels, Language, Name, Spoken
from cordboard.acd.written_waiting import Waiting
from cordboard.config.validation import Section, Text, also_written, fault, written_as
from cordboard.telephony.verbs import KEYS

FILE = "queues.yaml"

_QUEUE = Queue("")  # the defaults
_NO_KEY = "none"
_SPOKEN_KEYS = {"*": "star", "#": "hash"}


def _accept_key(key: str) -> str:
    if key == _NO_KEY:
        return ""
    if len(key) != 1 or key not in KEYS:
        raise fault("bad-key", f"`{key}` is no key", "write one of 0 to 9, * and # (in quotes), or none")
    return key


def _music_class(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise fault("bad-music", f"`{name}` is no music class", "write the name of one of musiconhold.conf")
    return name


@also_written({"enum": [_NO_KEY]})
def _nothing_to_accept(value: Any) -> Any:
    return {"key": _NO_KEY} if value == _NO_KEY else value


def _accept(written: str) -> str:
    """What whoever wrote `accept: no`, `accept: yes` or `accept: 5` meant."""
    if written.lower() in ("no", "off", "false", "never"):
        return f"accept: {_NO_KEY}"
    return f"accept: {{key: {written if len(written) == 1 and written in KEYS else 1}}}"


def _number(written: str, otherwise: int) -> str:
    """The number somebody wrote, without its unit; another one if there is none in it."""
    number = re.match(r"[0-9]+", written)
    return number.group() if number else str(otherwise)


class ServiceLevel(Section):
    """Which share counts as served in time: `formula` is one of those in `kpis`."""

    s: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=_QUEUE.service_level_s, description="The seconds within which a call should be answered."
    )
    formula: ServiceLevelFormula = Field(
        default=_QUEUE.service_level_formula, description="Which calls count: see docs/queues.md."
    )
    short_abandon_s: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=_QUEUE.short_abandon_s,
        description="Callers who leave sooner are not counted, where the formula says so.",
    )


class Accept(Section):
    """What an agent does to take a call. whisper: None for our own words."""

    key: Annotated[Text, AfterValidator(_accept_key)] = Field(
        default=_QUEUE.accept.key,
        description="The key that takes a call; `none` joins agent and caller as soon as the phone is picked up.",
    )
    within_s: Annotated[float, Field(ge=1, le=60)] = Field(
        default=_QUEUE.accept.within_s, description="How long the agent has for the key, after the whisper."
    )
    whisper: Spoken | None = Field(default=None, description="What the agent alone hears first, by language.")
    language: Language | None = Field(default=None, description="The language of the whisper.")

    @model_validator(mode="after")
    def _speaks_its_language(self) -> Self:
        if self.language and self.whisper and self.language not in self.whisper:
            hint = f"write one of {', '.join(self.whisper)}, or add the text"
            raise fault("unknown-language", f"there is no whisper in `{self.language}`", hint)
        return self

    def as_step(self, queue: str) -> AcceptStep:
        """The step for the agents of a queue."""
        whisper = self._default_whisper(queue) if self.whisper is None else self.whisper
        language = self.language or next(iter(whisper), _QUEUE.accept.language)
        return AcceptStep(self.key, self.within_s, whisper, language)

    def _default_whisper(self, queue: str) -> dict[str, str]:
        """An agent who must press a key is told so; in English, as the file says nothing."""
        if not self.key:
            return {}
        name, key = re.sub("[_-]", " ", queue), _SPOKEN_KEYS.get(self.key, self.key)
        return {self.language or _QUEUE.accept.language: f"A call for {name}. Press {key} to take it."}


class WrittenQueue(Waiting, Routing, Contacts):
    """One queue as written."""

    elsewhere: ClassVar[Mapping[str, str]] = OPTIONS

    ring_s: Annotated[float, Field(ge=1, le=300)] = Field(
        default=_QUEUE.ring_s, description="How long an agent's phone rings."
    )
    max_wait_s: Annotated[float, Field(gt=0, le=86_400)] = Field(
        default=_QUEUE.max_wait_s,
        description="How long callers wait, unless the flow says otherwise; then they go to its `otherwise`.",
    )
    wrap_up: Annotated[WrapUp, written_as(lambda s: f"wrap_up: {{s: {_number(s, 20)}}}")] = Field(
        default=WrapUp(), description="Time for notes after a talk."
    )
    service_level: Annotated[ServiceLevel, written_as(lambda s: f"service_level: {{s: {_number(s, 20)}}}")] = Field(
        default=ServiceLevel(), description="What counts as answered in time."
    )
    music: Annotated[Text, AfterValidator(_music_class)] = Field(
        default=_QUEUE.music, description="The music on hold: a class of musiconhold.conf."
    )
    accept: Annotated[Accept, written_as(_accept), BeforeValidator(_nothing_to_accept)] = Field(
        default=Accept(), description="What an agent does to take a call."
    )
    rona: Annotated[Rona, written_as(lambda times: f"rona: {{pause_after: {_number(times, 2)}}}")] = Field(
        default=Rona(), description="What follows when an agent lets a call ring."
    )
    announce: Annotated[Announce, written_as(lambda _: f"announce: {{{position_example('')}}}")] = Field(
        default=Announce(), description="What callers are told while they wait."
    )
    compat: Annotated[Compat, written_as(lambda _: "compat: {autofill: false}"), AllDefaults] = Field(
        default=Compat(), description="Settings of app_queue, for the strategies that come from there."
    )
    dispositions: Labels = Field(default=(), description="The results an agent can choose after a call.")
    callback: Annotated[Calling, written_as(lambda _: "callback: {attempts: 3}"), AllDefaults] | None = Field(
        default=None, description="How people are called back who asked for it; agents call them without it."
    )
    cut_off: Annotated[CutOff, written_as(lambda _: "cut_off: {hold_s: 120}"), AllDefaults] | None = Field(
        default=None, description="What becomes of calls that are cut off; nothing without it."
    )

    @model_validator(mode="after")
    def _has_what_it_wants(self) -> Self:
        if self.wrap_up.mode == "mandatory" and not self.dispositions:
            message, hint = "a disposition is mandatory, and there are none to choose", "add `dispositions: [done]`"
            raise fault("no-dispositions", message, hint, "wrap_up")
        self.compat.check(self.strategy)
        rings_all = self.strategy in ("ring_all", "compat:ringall")
        if rings_all and self.callback and self.callback.dial == "agent_first":
            hint = "write `dial: customer_first`, or another strategy"
            raise fault("agent-first-of-many", "with `agent_first` one agent is rung at a time, not all", hint)
        return self

    def as_queue(self, name: str) -> Queue:
        """The queue."""
        return Queue(
            name=name,
            strategy=self.strategy,
            ring_s=self.ring_s,
            max_wait_s=self.max_wait_s,
            wrap_up_s=self.wrap_up.s,
            wrap_up_mode=self.wrap_up.mode,
            wrap_up_at_most_s=self.wrap_up.at_most,
            wrap_up_early_exit=self.wrap_up.early_exit,
            service_level_s=self.service_level.s,
            service_level_formula=self.service_level.formula,
            music=self.music,
            accept=self.accept.as_step(name),
            rona=self.rona.as_policy(),
            callback=self.callback.as_policy() if self.callback else None,
            cut_off=self.cut_off.as_policy() if self.cut_off else None,
            compat=self.compat.as_rules(),
            **self.announce.announcements(),
            **self.waiting_rules(),
            **self.routing_rules(),
            **self.contact_rules(),
            dispositions=self.dispositions,
            short_abandon_s=self.service_level.short_abandon_s,
        )


_QUEUE_OPTIONS = written_as(lambda _: "{ring_s: 15}")
_QUEUES = written_as(lambda name: f"queues: {{{name or 'sales'}: {{}}}}")


class QueuesFile(Section):
    """All of `queues.yaml`."""

    queues: Annotated[dict[Name, Annotated[WrittenQueue, _QUEUE_OPTIONS, AllDefaults]], _QUEUES] = Field(
        default_factory=dict, description="The queues, by name."
    )
