"""What a flow test expects of a call, and the judgement of what came of it.

`judge` is pure: it compares an `Expect` with a rehearsal that is over, and says for each difference what was
expected and what there was instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from cordboard.config.document import Keys
from cordboard.config.validation import ITEM, Many, Section, Text, also_written
from cordboard.simulation.events import Asked, Entered, Event, Heard, Result, Waited
from cordboard.simulation.given import Fields, Value
from cordboard.simulation.rehearsal import Rehearsal
from cordboard.simulation.replies import agent_words, targets_of
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v
from cordboard.telephony.hangup_causes import HangupCause


@also_written(ITEM)
def _one_or_many(value: object) -> object:
    return value if isinstance(value, list | tuple) or value is None else [value]


Names = Annotated[tuple[Text, ...], Field(strict=False), BeforeValidator(_one_or_many)]


class Said(Section):
    """Something heard that is told by its words."""

    text: Annotated[Text, Field(description="Words, values among them; capitals do not count.")]


class SentRequest(Section):
    """A request to a web service; what is left out may be anything."""

    service: Annotated[Text, Field(description="The service's name.")]
    method: Annotated[Text | None, Field(description="`GET`, `POST` and so on.")] = None
    path: Annotated[Text | None, Field(description="`/orders/12`.")] = None
    query: Annotated[dict[Text, Text] | None, Field(description="Names and values behind the `?`.")] = None
    body: Annotated[Any, Field(description="The JSON that is sent; of a mapping, the keys that matter.")] = None


class RanScript(Section):
    """A script that was run."""

    script: Annotated[Text, Field(description="Its name.")]
    arguments: Annotated[Fields, Field(description="Those that matter, by name; never secret ones.")] = Field(
        default_factory=dict
    )


class BookedCallback(Section):
    """A callback that was asked for."""

    queue: Annotated[Text | None, Field(description="For this queue.")] = None
    number: Annotated[Text | None, Field(description="To this number.")] = None


class LeftMessage(Section):
    """A message that was recorded."""

    folder: Annotated[Text | None, Field(description="The folder of its box.")] = None
    at_least_s: Annotated[float, Field(ge=0, description="How long it is at least.")] = 0.0


class Expect(Section):
    """What must be true when the call is over. What is left out may be anything; a list is complete."""

    path: Annotated[Names | None, Field(description="All nodes, in order; `billing/start` for another flow's.")] = (
        None
    )
    passes: Annotated[Names, Field(description="Nodes that are passed, in this order; others may be between.")] = ()
    avoids: Annotated[Names, Field(description="Nodes that are not passed.")] = ()
    heard: Annotated[
        Many[Text | Said] | None,
        Field(description="All that is said, in order: prompts, or `{text: words}`."),
    ] = None
    variables: Annotated[dict[Text, Value], Field(description="Values at the end, by name.")] = Field(
        default_factory=dict
    )
    language: Annotated[Text | None, Field(description="The call's language at the end.")] = None
    requests: Annotated[Many[SentRequest] | None, Field(description="All requests to web services.")] = None
    scripts: Annotated[Many[RanScript] | None, Field(description="All scripts that are run.")] = None
    tags: Annotated[
        dict[Text, Names] | None,
        Field(description="All reason codes that are noted; a list for several of a name."),
    ] = None
    surveys: Annotated[dict[Text, Names] | None, Field(description="All scores that are noted.")] = None
    callbacks: Annotated[Many[BookedCallback] | None, Field(description="All callbacks that are asked for.")] = None
    agent_line: Annotated[
        Names | None,
        Field(description="All that an agent who calls in does, in order: `[log_in, pause lunch, dispose sold]`."),
    ] = None
    messages: Annotated[Many[LeftMessage] | None, Field(description="All messages that are recorded.")] = None
    dialled: Annotated[Names | None, Field(description="All that is dialled.")] = None
    queued: Annotated[Names | None, Field(description="All queues that are entered.")] = None
    talks_to: Annotated[Names | None, Field(description="Everybody who is talked to.")] = None
    outcome: Annotated[
        Result | None,
        Field(
            description="`finished` (the flow hung up), `hung_up` (the caller did), `failed` (to the safe "
            "destination) or `transferred`."
        ),
    ] = None
    cause: Annotated[
        Literal["normal", "busy", "no_answer", "rejected", "unallocated", "congestion"] | None,
        Field(description="The cause of the flow's hang-up."),
    ] = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Something not as expected. keys: where that is written, within `expect`; node: where it came apart."""

    keys: Keys
    expected: str
    instead: str
    node: str = ""


def judge(expect: Expect, call: Rehearsal) -> list[Difference]:
    """Every difference between what is expected and what there was."""
    judges: list[Callable[[Expect, Rehearsal], Iterator[Difference]]] = [
        _judge_path,
        _judge_heard,
        _judge_variables,
        _judge_sent,
        _judge_people,
        _judge_end,
    ]
    return [difference for judge_one in judges for difference in judge_one(expect, call)]


def path_of(call: Rehearsal) -> list[str]:
    """The nodes of a call, in order; those of other flows than its first with the flow's name."""
    first = call.events[0].flow if call.events else ""
    return [_place(event, first) for event in call.events if isinstance(event.what, Entered)]


def _place(event: Event, first: str) -> str:
    return event.node if event.flow == first else f"{event.flow}/{event.node}"


def _judge_path(expect: Expect, call: Rehearsal) -> Iterator[Difference]:
    path = path_of(call)
    if expect.path is not None and list(expect.path) != path:
        number = _first_difference(expect.path, path)
        node = path[min(number, len(path) - 1)] if path else ""
        yield Difference(("path",), " → ".join(expect.path), " → ".join(path), node)
    rest = iter(path)
    for number, node in enumerate(expect.passes):
        if node not in rest:
            after = f" after {expect.passes[number - 1]}" if number else ""
            yield Difference(("passes", number), f"{node}{after}", " → ".join(path))
            break
    for number, node in enumerate(expect.avoids):
        if node in path:
            yield Difference(("avoids", number), f"not {node}", " → ".join(path), node)


def _judge_heard(expect: Expect, call: Rehearsal) -> Iterator[Difference]:
    if expect.heard is None:
        return
    heard = [event for event in call.events if isinstance(event.what, Heard)]
    pairs = zip(expect.heard, heard, strict=False)
    number = next((at for at, (wanted, event) in enumerate(pairs) if not _is_said(wanted, event)), None)
    if number is None and len(heard) != len(expect.heard):
        number = min(len(heard), len(expect.heard))
    if number is not None:
        wanted = _shown_said(expect.heard[number]) if number < len(expect.heard) else "nothing more"
        instead = _shown_heard(heard[number]) if number < len(heard) else "nothing more"
        node = heard[min(number, len(heard) - 1)].node if heard else ""
        keys: Keys = ("heard", number) if number < len(expect.heard) else ("heard",)
        yield Difference(keys, f"to hear {wanted}", instead, node)


def _is_said(wanted: str | Said, event: Event) -> bool:
    assert isinstance(event.what, Heard)
    if isinstance(wanted, Said):
        return " ".join(wanted.text.casefold().split()) in event.what.said.words.casefold()
    return event.what.said.is_called(wanted)


def _shown_said(wanted: str | Said) -> str:
    return f'"{wanted.text}"' if isinstance(wanted, Said) else wanted


def _shown_heard(event: Event) -> str:
    assert isinstance(event.what, Heard)
    said = event.what.said
    return f'{said.language}/{said.name}: "{said.words}"'


def _judge_variables(expect: Expect, call: Rehearsal) -> Iterator[Difference]:
    for name, wanted in expect.variables.items():
        if name in call.run.secrets:
            yield Difference(("variables", name), f"{name}: {_shown(wanted)}", "a secret, which nothing may show")
        elif name not in call.run.variables:
            yield Difference(("variables", name), f"{name}: {_shown(wanted)}", "it has no value")
        elif not _equal(wanted, found := call.run.variables[name]):
            yield Difference(("variables", name), f"{name}: {_shown(wanted)}", _shown(found))
    if expect.language not in (None, call.run.language):
        yield Difference(("language",), str(expect.language), call.run.language)


def _equal(wanted: Any, found: Any) -> bool:
    """5 will do for 5.0, but 1 not for true."""
    return bool(wanted == found) and isinstance(wanted, bool) == isinstance(found, bool)


def _asked(call: Rehearsal, *kinds: type) -> list[Any]:
    """The verbs of these kinds that were asked of the world outside, in order."""
    return [
        event.what.verb for event in call.events if isinstance(event.what, Asked) and type(event.what.verb) in kinds
    ]


def _judge_sent(expect: Expect, call: Rehearsal) -> Iterator[Difference]:
    yield from _judge_list("requests", expect.requests, [_request(one) for one in _asked(call, v.HttpRequest)])
    scripts = [{"script": one.script, "arguments": dict(one.arguments)} for one in _asked(call, v.RunScript)]
    yield from _judge_list("scripts", expect.scripts, scripts)
    booked = [{"queue": one.queue, "number": one.number} for one in _asked(call, v.RequestCallback)]
    yield from _judge_list("callbacks", expect.callbacks, booked)
    for key, kind, wanted in (("tags", "tag", expect.tags), ("surveys", "survey", expect.surveys)):
        found = noted([one for one in _asked(call, v.Note) if one.kind == kind])
        if wanted is not None and (told := {name: _one_or_all(values) for name, values in wanted.items()}) != found:
            yield Difference((key,), _shown(told), _shown(found))
    yield from _judge_messages(expect.messages, call)


def noted(notes: Iterable[v.Note]) -> dict[str, str | list[str]]:
    """Values by name, as they are kept: the same one counts once, and several of a name are a list."""
    values: dict[str, dict[str, None]] = {}
    for note in notes:
        values.setdefault(note.name, {})[note.value] = None
    return {name: _one_or_all(tuple(several)) for name, several in values.items()}


def _one_or_all(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _request(verb: v.HttpRequest) -> dict[str, Any]:
    body = json.loads(verb.body) if verb.body is not None else None
    return {
        "service": verb.service, "method": verb.method, "path": verb.path, "query": dict(verb.query), "body": body,
    }  # fmt: skip


def _judge_list(key: str, wanted: Sequence[Section] | None, found: list[dict[str, Any]]) -> Iterator[Difference]:
    """A complete list, entry by entry; of an entry only what is written counts."""
    if wanted is None:
        return
    for number, one in enumerate(wanted):
        written = one.model_dump(exclude_unset=True)
        if number >= len(found):
            yield Difference((key, number), _shown(written), "nothing more")
        elif not _holds(found[number], written):
            yield Difference((key, number), _shown(written), _shown(found[number]))
    for more in found[len(wanted) :]:
        yield Difference((key,), "nothing more", _shown(more))


def _holds(found: Any, wanted: Any) -> bool:
    """Whether everything wanted is there; a mapping may hold more."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and _holds(found[key], one) for key, one in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        return (
            isinstance(found, list | tuple)
            and len(found) == len(wanted)
            and all(_holds(one, other) for one, other in zip(found, wanted, strict=True))
        )
    return _equal(wanted, found)


def _judge_messages(wanted: Sequence[LeftMessage] | None, call: Rehearsal) -> Iterator[Difference]:
    if wanted is None:
        return
    recorded = [
        event.what
        for event in call.events
        if isinstance(event.what, Asked)
        and isinstance(event.what.outcome, o.Recorded)
        and event.what.outcome.duration_s
    ]
    found = [(one.verb.folder, one.outcome.duration_s) for one in recorded]  # type: ignore[union-attr]
    shown = ", ".join(f"{folder} ({duration_s:g} s)" for folder, duration_s in found) or "none"
    fitting = len(found) == len(wanted) and all(
        one.folder in (None, folder) and duration_s >= one.at_least_s
        for one, (folder, duration_s) in zip(wanted, found, strict=True)
    )
    if not fitting:
        yield Difference(("messages",), _shown([one.model_dump(exclude_unset=True) for one in wanted]), shown)


def _judge_people(expect: Expect, call: Rehearsal) -> Iterator[Difference]:
    talks = [
        event.what.who for event in call.events if isinstance(event.what, Waited) and event.what.what == "talks"
    ]
    found = {
        "dialled": [who for one in _asked(call, v.Dial) for who in targets_of(one)],
        "queued": [one.queue for one in _asked(call, v.Enqueue)],
        "agent_line": [agent_words(one) for one in _asked(call, v.ActAsAgent)],
        "talks_to": talks,
    }
    for key, names in found.items():
        wanted = getattr(expect, key)
        if wanted is not None and list(wanted) != names:
            yield Difference((key,), ", ".join(wanted) or "nobody", ", ".join(names) or "nobody")


def _judge_end(expect: Expect, call: Rehearsal) -> Iterator[Difference]:
    ended = call.ended
    result, cause = (ended.result, ended.cause) if ended else ("not over", HangupCause.UNKNOWN)
    if expect.outcome not in (None, result):
        yield Difference(("outcome",), str(expect.outcome), result, call.run.node)
    if expect.cause not in (None, cause.value):
        yield Difference(("cause",), str(expect.cause), cause.value, call.run.node)


def _first_difference(wanted: Sequence[str], found: Sequence[str]) -> int:
    pairs = zip(wanted, found, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(wanted), len(found)))


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
