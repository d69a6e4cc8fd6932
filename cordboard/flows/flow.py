"""A flow that passed every check: what calls run on. Made by `loader`, run by `run`, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from cordboard.config.findings import Finding
from cordboard.flows.conditions import Kind
from cordboard.flows.node import Node
from cordboard.flows.shape import NodeShape
from cordboard.telephony.verbs import Prompt

AnswerWhen = Literal["first_media", "at_once", "never"]


@dataclass(frozen=True, slots=True)
class Flow:
    """One published revision of a flow.

    revision:   12 hexadecimal digits of the SHA-256 over the file's content; comments do not count.
    languages:  the first is the default. prompts: by name, then by language, the texts with values as written.
    sounds:     every prompt that can be played, in every language.
    on_failure: the node that takes over when another one breaks; "" for none.
    variables:  what the flow keeps, by name; secrets: the names it keeps in memory only.
    shapes:     what each node looks like from outside.
    on_hangup:  the node that goes on, without the call, when the caller has left; "" for none.
    params, returns: what a flow that calls this one gives and gets, by name; None if none can.
    warnings:   what lint has to say about it, in file order; nothing of it kept the flow from loading.
    subflows:   the flows that this one calls, each the revision that was there when it was loaded.
    """

    name: str
    revision: str
    languages: tuple[str, ...]
    answer: AnswerWhen
    start: str
    on_failure: str
    zone: str
    prompts: Mapping[str, Mapping[str, Prompt]] = field(repr=False)
    nodes: Mapping[str, Node] = field(repr=False)
    variables: Mapping[str, Kind] = field(repr=False)
    secrets: frozenset[str] = field(repr=False)
    shapes: Mapping[str, NodeShape] = field(default_factory=dict, repr=False)
    on_hangup: str = ""
    params: Mapping[str, Kind] | None = field(default=None, repr=False)
    returns: Mapping[str, Kind] | None = field(default=None, repr=False)
    subflows: Mapping[str, Flow] = field(default_factory=dict, repr=False)
    sounds: tuple[Prompt, ...] = field(default=(), repr=False)
    warnings: tuple[Finding, ...] = field(default=(), repr=False, compare=False)

    @property
    def may_care_for_hangup(self) -> bool:
        """Whether there may be something to do when a caller leaves: for this flow, or for one that called it."""
        return bool(self.on_hangup) or self.returns is not None

    def all_prompts(self) -> Iterator[Prompt]:
        """Everything that must have a sound: prompts, words around values, words of values; each once."""
        return iter(self.sounds)
