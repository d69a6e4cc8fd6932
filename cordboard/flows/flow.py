"""A flow that passed every check: what calls run on. Made by `loader`, run by `run`, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from cordboard.flows.conditions import Kind
from cordboard.flows.node import Node
from cordboard.telephony.verbs import Prompt

AnswerWhen = Literal["first_media", "at_once", "never"]


@dataclass(frozen=True, slots=True)
class Flow:
    """One published revision of a flow.

    revision:   12 hexadecimal digits of the SHA-256 over the file's content; comments do not count.
    languages:  the first is the default. prompts: by name, then by language.
    on_failure: the node that takes over when another one breaks; "" for none.
    variables:  what the flow keeps, by name; secrets: the names it keeps in memory only.
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

    def all_prompts(self) -> Iterator[Prompt]:
        """Every prompt in every language."""
        for by_language in self.prompts.values():
            yield from by_language.values()
