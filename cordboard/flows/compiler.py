"""What a node's options need while they are compiled: everything a flow may name, looked up, with findings for
what is not there.

Made by the loader for each node, passed to `NodeOptions.compile`. Where a lookup fails it reports and returns a
stand-in, so that the faults behind it are found in the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from zoneinfo import ZoneInfo

from cordboard.config.document import Document, Keys
from cordboard.config.findings import Finding
from cordboard.config.validation import closest
from cordboard.flows.conditions import Expression, ExpressionRefused, Kind, Scope, words_for_kind
from cordboard.flows.surroundings import MessageBox, Surroundings
from cordboard.flows.variables import customer_kinds
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.verbs import Extension, Prompt

_T = TypeVar("_T")

_NO_EXTENSION = Extension("", "")
_NO_BOX = MessageBox("")


@dataclass(frozen=True, slots=True)
class FlowNames:
    """Everything the nodes of one flow may refer to.

    nodes: the names of all nodes, faulty ones included; scope: None while variables are not known for sure.
    """

    document: Document
    surroundings: Surroundings
    languages: tuple[str, ...]
    zone: ZoneInfo
    nodes: Collection[str]
    prompts: Mapping[str, Mapping[str, Prompt]]
    flows: frozenset[str]
    variables: Mapping[str, Kind]
    secrets: frozenset[str]
    scope: Scope | None


@dataclass(frozen=True, slots=True)
class NodeCompiler:
    """Lookups for one node. In every method `keys` is the way, within the node, to what an admin wrote."""

    names: FlowNames
    node: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def languages(self) -> tuple[str, ...]:
        """The flow's languages."""
        return self.names.languages

    @property
    def dial_policy(self) -> DialPolicy:
        """For extensions known only in the call."""
        return self.names.surroundings.dial_policy

    def report(self, keys: Keys, code: str, message: str, hint: str = "") -> None:
        """A fault at a place of this node."""
        self.findings.append(self.names.document.finding(self._way(keys), code, message, hint))

    def target(self, name: str | None, *keys: str | int) -> str:
        """A node to go to; "" stays for a target that was left out."""
        if name is not None and name not in self.names.nodes:
            self._unknown("node", name, self.names.nodes, keys)
        return name or ""

    def prompts(self, names: Sequence[str], *keys: str | int) -> Mapping[str, tuple[Prompt, ...]]:
        """Prompts one after the other, by language. A list's entries are looked up each at its own place."""
        known = self.names.prompts
        for number, name in enumerate(names):
            if name not in known:
                self._unknown("prompt", name, known, self._entry(keys, number))
        found = [known[name] for name in names if name in known]
        return {tongue: tuple(one[tongue] for one in found if tongue in one) for tongue in self.languages}

    def per_language(self, make: Callable[[str], _T]) -> Mapping[str, _T]:
        """Something for each language, made once here instead of in every call."""
        return {tongue: make(tongue) for tongue in self.languages}

    def language(self, name: str, *keys: str | int) -> str:
        """A language of the flow."""
        if name not in self.languages:
            self._unknown("language", name, self.languages, keys)
        return name

    def expression(self, text: str, *keys: str | int, kinds: tuple[Kind, ...]) -> Expression:
        """A compiled expression which gives one of `kinds`."""
        stand_in = Expression(text, kinds[0], None)
        if self.names.scope is None:
            return stand_in
        try:
            expression = self.names.scope.compile(text)
        except ExpressionRefused as refused:
            self.findings.append(refusal(self.names.document, self._way(keys), refused))
            return stand_in
        if expression.kind not in kinds:
            wanted = " or ".join(words_for_kind(kind) for kind in kinds)
            self.report(keys, "expression-type", f"this gives {words_for_kind(expression.kind)}, not {wanted}")
        return expression

    def extension(self, text: str, *keys: str | int) -> Extension:
        """What an extension rings, if the dial policy allows it."""
        target = self.dial_policy.resolve(text)
        if target is None and self.names.surroundings.is_known:
            allowed = ", ".join(rule.pattern for rule in self.dial_policy.rules) or "none"
            self.report(keys, "extension-refused", f"the dial policy does not allow {text}", f"allowed: {allowed}")
        return target or _NO_EXTENSION

    def variable(self, name: str, *keys: str | int) -> str:
        """A variable of the flow that is no secret."""
        if name in self.names.secrets:
            self.report(keys, "secret-used", f"`{name}` is secret and cannot be used here")
        elif name not in self.names.variables and self.names.scope is not None:
            self._unknown("variable", name, self.names.variables, keys)
        return name

    def box(self, name: str, *keys: str | int) -> MessageBox:
        """A voicemail box of the settings."""
        boxes = self.names.surroundings.voicemail_boxes
        if name not in boxes and self.names.surroundings.is_known:
            self._unknown("voicemail box", name, boxes, keys)
        return boxes.get(name, _NO_BOX)

    def queue(self, name: str, *keys: str | int) -> str:
        """A queue of `queues.yaml`."""
        queues = self.names.surroundings.queues
        if queues is not None and name not in queues and self.names.surroundings.is_known:
            self._unknown("queue", name, queues, keys)
        return name

    def customer(self, name: str, *keys: str | int) -> Mapping[str, Kind]:
        """What a look-up that is kept under `name` gives, as variables with types."""
        fields = self.names.surroundings.customer_fields
        if fields == {} and self.names.surroundings.is_known:
            self.report(keys, "no-crm", "there is no CRM to ask", "say in crm.yaml where customers are kept")
        return customer_kinds(name, fields or {})

    @property
    def has_on_failure(self) -> bool:
        """Whether the flow says where to go on when a node breaks."""
        data = self.names.document.data
        return isinstance(data, dict) and bool(data.get("on_failure"))

    def flow(self, name: str, *keys: str | int) -> str:
        """Another flow."""
        if name not in self.names.flows:
            self._unknown("flow", name, self.names.flows, keys)
        return name

    def _unknown(self, what: str, name: str, known: Collection[str], keys: Keys) -> None:
        hint = closest(name, known) or f"known: {', '.join(sorted(known)) or 'none'}"
        self.report(keys, f"unknown-{what.replace(' ', '-')}", f"there is no {what} `{name}`", hint)

    def _entry(self, keys: Keys, number: int) -> Keys:
        """The way to one entry, if a list was written; to the only value otherwise."""
        entry = (*keys, number)
        return entry if self.names.document.has(self._way(entry)) else keys

    def _way(self, keys: Keys) -> Keys:
        return ("nodes", self.node, *keys)


def refusal(document: Document, way: Keys, refused: ExpressionRefused) -> Finding:
    """The finding of an expression that was refused, at its very character where that can be told."""
    place = document.place_in(way, refused.line, refused.column)
    return Finding(document.file, *place, refused.code, refused.message, refused.hint)
