"""A flow as the rules see it: what an admin wrote, the ways between the nodes, and what the nodes use.

Made by the loader, which knows all of it anyway; nothing here is kept once the flow is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cordboard.config.codes import CODES
from cordboard.config.document import Document, Keys
from cordboard.config.findings import Finding
from cordboard.flows.compiler import FlowNames
from cordboard.flows.conditions import CALL_FIELDS, Kind
from cordboard.flows.lint.graph import Graph
from cordboard.flows.options import Declaration, NodeOptions
from cordboard.flows.shape import NodeShape
from cordboard.flows.surroundings import Surroundings
from cordboard.flows.text_parts import TextRefused, ValueAt, split_text
from cordboard.flows.uses import Uses


@dataclass(frozen=True)
class Subject:
    """One flow under lint.

    start, on_failure, on_hangup: as in `Flow`. options: the nodes that could be read, with their `shapes`.
    is_whole:  every node could be read, and every node that is named exists: only then are ways to be judged.
    is_known:  the same of variables and prompts.
    declared:  which node gives a value to what. given: variables that have a value when the flow begins.
    is_callable: other flows can call it.
    prompts:   the names of all prompts; spoken: the variables that a prompt speaks, by its name.
    """

    document: Document
    surroundings: Surroundings
    start: str
    on_failure: str
    on_hangup: str
    options: Mapping[str, NodeOptions]
    shapes: Mapping[str, NodeShape]
    is_whole: bool
    is_known: bool
    declared: Sequence[tuple[str, Declaration]]
    variables: Mapping[str, Kind]
    secrets: frozenset[str]
    uses: Uses
    given: frozenset[str] = frozenset()
    is_callable: bool = False
    prompts: frozenset[str] = frozenset()
    spoken: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        names: FlowNames,
        *,
        start: str,
        on_failure: str,
        on_hangup: str,
        options: Mapping[str, NodeOptions],
        shapes: Mapping[str, NodeShape],
        declared: Sequence[tuple[str, Declaration]],
        given: frozenset[str],
    ) -> Subject:
        """The subject of a flow whose nodes have been compiled with these names."""
        targets = {way.node for shape in shapes.values() for way in shape.exits}
        targets |= {root for root in (start, on_failure, on_hangup) if root}
        spoken = _spoken(names)
        is_understood = names.uses.is_complete and frozenset().union(*spoken.values()) <= {
            *names.variables,
            *names.secrets,
            *CALL_FIELDS,
            "now",
        }
        return cls(
            document=names.document,
            surroundings=names.surroundings,
            start=start,
            on_failure=on_failure,
            on_hangup=on_hangup,
            options=options,
            shapes=shapes,
            is_whole=len(options) == len(names.nodes) and bool(start) and targets <= options.keys(),
            is_known=names.scope is not None and is_understood,
            declared=declared,
            variables=names.variables,
            secrets=names.secrets,
            uses=names.uses,
            given=given,
            is_callable=names.returns is not None,
            prompts=frozenset(names.prompts),
            spoken=spoken,
        )

    @cached_property
    def graph(self) -> Graph:
        """The ways between the nodes, as far as these are there."""
        shapes = self.shapes
        return Graph(
            {name: [way.node for way in shape.exits if way.node in shapes] for name, shape in shapes.items()}
        )

    @cached_property
    def reached(self) -> frozenset[str]:
        """The nodes a call can come to."""
        return self.graph.reached_from(filter(None, (self.start, self.on_failure, self.on_hangup)))

    def at(self, keys: Keys, code: str, message: str, hint: str = "", *, key: bool = False) -> Finding:
        """A finding at a place of the file, as severe as its code."""
        return self.document.finding(keys, code, message, hint, key=key, severity=CODES[code].severity)

    def at_node(self, node: str, code: str, message: str, hint: str = "") -> Finding:
        """A finding at the name of a node."""
        return self.at(("nodes", node), code, message, hint, key=True)

    def within(self, keys: Keys, offset: int, code: str, message: str, hint: str = "") -> Finding:
        """A finding at a character of a text, `offset` from its beginning, as far as that can be told."""
        line, column = self.document.place_in(keys, 1, offset + 1)
        return Finding(self.document.file, line, column, code, message, hint, CODES[code].severity)


def _spoken(names: FlowNames) -> Mapping[str, frozenset[str]]:
    """The names in the braces of prompts, by the prompt's name; those that are no variables too."""
    found: dict[str, frozenset[str]] = {}
    for by_language in names.prompts.values():
        for prompt in by_language.values():
            if "{" in prompt.text:
                found[prompt.name] = found.get(prompt.name, frozenset()) | _values_in(prompt.text)
    return found


def _values_in(text: str) -> frozenset[str]:
    try:
        return frozenset(part.variable for part in split_text(text) if isinstance(part, ValueAt))
    except TextRefused:  # told where prompts are read
        return frozenset()
