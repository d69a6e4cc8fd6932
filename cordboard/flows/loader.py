"""Turns flow files into flows, or into a list of everything that is wrong with them.

Called when the service starts or reloads, and by the command line. Nothing of this runs during a call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from cordboard.config.document import Document
from cordboard.config.findings import Finding, split
from cordboard.config.scalars import as_written
from cordboard.config.validation import closest, validate
from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.compiler import FlowNames, NodeCompiler
from cordboard.flows.conditions import ECHO, Scope
from cordboard.flows.flow import Flow
from cordboard.flows.lint import Subject, check
from cordboard.flows.node import Node
from cordboard.flows.nodes import NODE_TYPES
from cordboard.flows.options import Declaration, NodeOptions
from cordboard.flows.prompt_texts import Prompts, read_prompts
from cordboard.flows.prompt_values import PieceFinder, sounds_of
from cordboard.flows.schema import FlowFrame
from cordboard.flows.shape import NodeShape
from cordboard.flows.speaking.choosing import Speaking
from cordboard.flows.subflows import called_by, in_order, written_name, written_shape
from cordboard.flows.surroundings import Surroundings
from cordboard.flows.variables import Variables, infer_variables
from cordboard.telephony.verbs import Prompt

_UNKNOWN = Surroundings(is_known=False)


def load_flows(directory: Path, surroundings: Surroundings | None) -> dict[str, Flow]:
    """All flows of a directory's `*.yaml` files, by name.

    surroundings: None if the settings have faults themselves; what flows name there is not checked then.
    Raises ConfigurationError with all faults of all files.
    """
    surroundings = surroundings or _UNKNOWN
    findings: list[Finding] = []
    documents = list(_read_all(directory, findings))
    surroundings = _with_these(surroundings, documents)
    flows: dict[str, Flow] = {}
    files: dict[str, str] = {}
    ordered, faults = in_order(documents)
    findings += faults
    for document in ordered:
        try:
            flow = load_flow(document, surroundings, flows)
        except ConfigurationError as error:
            findings += (*error.findings, *error.warnings)
            continue
        findings += flow.warnings
        if flow.name in flows:
            findings.append(_twice(document, flow.name, files[flow.name]))
        flows[flow.name] = flow
        files[flow.name] = document.file
    errors, warnings = split(findings)
    if errors:
        raise ConfigurationError(errors, warnings)
    return flows


def load_flow(
    document: Document,
    surroundings: Surroundings | None,
    flows: Mapping[str, Flow] = MappingProxyType({}),
    *,
    is_kept: bool = False,
) -> Flow:
    """The flow in a document. Raises ConfigurationError with all its faults, in file order.

    flows: those that it calls, by name, and perhaps others. is_kept: it was live once and calls are on it, so what
    it refers to may be gone: such a node breaks when a call comes to it, and goes to the flow's `on_failure`.
    """
    frame, findings = validate(FlowFrame, document)
    draft = _Draft(document, frame, surroundings or _UNKNOWN, findings)
    nodes = draft.compile_nodes()
    errors, warnings = split(draft.findings)
    is_whole = frame is not None and len(nodes) == len(frame.nodes)
    if frame is None or (errors and not (is_kept and is_whole)):
        raise ConfigurationError(errors, warnings)
    start = frame.start or next(iter(nodes))
    subflows = {name: flows[name] for _, name in called_by(document) if name in flows}
    shape = written_shape(document)
    return Flow(
        name=frame.flow,
        revision=_revision(document.data, start, subflows),
        languages=frame.languages,
        answer=frame.answer,
        start=start,
        on_failure=frame.on_failure or "",
        zone=draft.zone.key,
        prompts=draft.prompts,
        sounds=draft.sounds,
        nodes=nodes,
        variables=draft.variables.kinds,
        secrets=frozenset(draft.variables.secrets),
        shapes=draft.shapes,
        on_hangup=frame.on_hangup or "",
        params=shape.params if shape else None,
        returns=shape.returns if shape else None,
        subflows=subflows,
        warnings=tuple(warnings),
    )


def _twice(document: Document, name: str, other: str) -> Finding:
    message = f"{Path(other).name} has a flow `{name}` too"
    return document.finding(("flow",), "duplicate-flow", message, "give one of them another name, or take it out")


def _read_all(directory: Path, findings: list[Finding]) -> Iterator[Document]:
    for path in sorted(directory.glob("*.yaml")):
        try:
            yield read_yaml(path)
        except ConfigurationError as error:
            findings += error.findings


def written_names(directory: Path) -> frozenset[str]:
    """The names of all flows of a directory whose files can be read, faulty ones included."""
    return frozenset(written_name(document) for document in _read_all(directory, []))


def _with_these(surroundings: Surroundings, documents: Sequence[Document]) -> Surroundings:
    """The same, with what these files tell of their flows."""
    shapes = {written_name(document): written_shape(document) for document in documents}
    return replace(
        surroundings,
        flow_names=surroundings.flow_names | shapes.keys(),
        subflows={**surroundings.subflows, **{name: shape for name, shape in shapes.items() if shape}},
    )


def _revision(data: Any, start: str, subflows: Mapping[str, Flow]) -> str:
    """A hash over what was written, and over the revisions of the flows that are called."""
    called = sorted((name, flow.revision) for name, flow in subflows.items())
    content = json.dumps([data, start, *called], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()[:12]


@dataclass(slots=True)
class _Draft:
    """A flow in the making. frame: None if it has faults; the nodes are checked all the same."""

    document: Document
    frame: FlowFrame | None
    surroundings: Surroundings
    findings: list[Finding]
    prompts: Prompts = field(default_factory=dict)
    sounds: tuple[Prompt, ...] = ()
    variables: Variables = field(default_factory=Variables)
    shapes: dict[str, NodeShape] = field(default_factory=dict)

    def compile_nodes(self) -> dict[str, Node]:
        """The nodes by name; findings are noted in the draft."""
        written = self._section("nodes")
        languages = self.frame.languages if self.frame else _languages(self.document.data)
        speaking = Speaking(self.zone, _fallback(self.document.data), (self.frame and self.frame.currency) or "")
        self.prompts = read_prompts(self.document, self._flow_name(), languages, speaking, self.findings)
        options = {name: one for name in written if (one := self._options(name, written[name]))}
        self.shapes = {name: self._shape(name, one) for name, one in options.items()}
        declared = [(name, one) for name, node in options.items() for one in node.declares()]
        shape = written_shape(self.document)
        params = shape.params if shape else {}
        self.variables = infer_variables(declared, self.document, self.surroundings, params)
        self.findings += self.variables.findings
        is_complete = self.variables.is_complete and len(options) == len(written)
        is_complete = is_complete and (self.frame is not None or not self._section("params"))
        names = self._names(languages, written, speaking, is_complete)
        self._check_frame_targets(written)
        nodes = {name: self._compile(names, name, one) for name, one in options.items()}
        self.sounds = self._sounds(names)
        self.findings += check(self._subject(options, declared, names))
        self.findings = [one for one in self.findings if one.code != ECHO]
        return nodes

    def _subject(
        self, options: Mapping[str, NodeOptions], declared: Sequence[tuple[str, Declaration]], names: FlowNames
    ) -> Subject:
        """The flow for the rules that look at it as a whole."""
        frame = self.frame
        return Subject.of(
            names,
            start=(frame and frame.start) or next(iter(names.nodes), ""),
            on_failure=(frame and frame.on_failure) or "",
            on_hangup=(frame and frame.on_hangup) or "",
            options=options,
            shapes=self.shapes,
            declared=declared,
            given=frozenset((frame and frame.params) or ()),
        )

    def _shape(self, name: str, options: NodeOptions) -> NodeShape:
        line, _ = self.document.place(("nodes", name), key=True)
        return NodeShape(
            verb=options.verb,
            exits=tuple(options.exits()),
            line=line,
            asks=options.asks,
            ends=options.ends,
            fails=options.fails,
            needs_call=options.needs_call,
            written=self._section("nodes")[name],
        )

    def _names(
        self, languages: tuple[str, ...], nodes: Mapping[str, Any], speaking: Speaking, is_complete: bool
    ) -> FlowNames:
        """is_complete: every variable is known, so what is not declared does not exist."""
        kinds, secrets = self.variables.kinds, frozenset(self.variables.secrets)
        scope = Scope(kinds, secrets, self.variables.unclear) if is_complete else None
        return FlowNames(
            document=self.document,
            surroundings=self.surroundings,
            languages=languages,
            zone=self.zone,
            nodes=nodes,
            prompts=self.prompts,
            flows=self.surroundings.flow_names | {self._flow_name()},
            variables=kinds,
            secrets=secrets,
            scope=scope,
            speaking=speaking,
            pieces=PieceFinder(self.document, speaking, scope, secrets, self.findings).find(self.prompts),
            returns=shape.returns if (shape := written_shape(self.document)) else None,
        )

    def _sounds(self, names: FlowNames) -> tuple[Prompt, ...]:
        """Every prompt of the flow that can be played, once."""
        written = [prompt for by_language in self.prompts.values() for prompt in by_language.values()]
        spoken = [sound for one in written for sound in sounds_of(names.pieces.get(one, (one,)))]
        return tuple(dict.fromkeys([*spoken, *names.words]))

    @property
    def zone(self) -> ZoneInfo:
        """The flow's own time zone, or that of the settings."""
        return ZoneInfo((self.frame and self.frame.zone) or self.surroundings.zone)

    def _section(self, key: str) -> Mapping[str, Any]:
        data = self.document.data
        section = data.get(key) if isinstance(data, dict) else None
        return section if isinstance(section, dict) else {}

    def _flow_name(self) -> str:
        return written_name(self.document)

    def _options(self, name: str, written: Any) -> NodeOptions | None:
        """What was written for a node, as its type's options; None with findings."""
        node_type = self._type_of(name, written)
        if node_type is None:
            return None
        options, findings = validate(node_type, self.document, ("nodes", name))
        self.findings += findings
        return options

    def _type_of(self, name: str, written: Any) -> type[NodeOptions] | None:
        if not isinstance(written, dict):
            hint = f"write for instance `{name}: {{play: welcome, next: menu}}`"
            if written is None:
                hint = f"indent what belongs to `{name}` further than its name"
            elif name in NODE_TYPES or name == "next":
                hint = f"`{name}` belongs below the name of a node, indented further"
            self._report(name, None, "wrong-type", "a node is a mapping with one verb", hint)
            return None
        verbs = [key for key in written if key in NODE_TYPES]
        if len(verbs) == 1:
            return NODE_TYPES[verbs[0]]
        if verbs:
            hint = f"make two nodes of it, one with `{verbs[0]}` and one with `{verbs[1]}`"
            self._report(name, verbs[1], "two-verbs", f"`{name}` has two verbs: {' and '.join(verbs)}", hint)
        else:
            self._report_no_verb(name, written)
        return None

    def _report_no_verb(self, name: str, written: Mapping[str, Any]) -> None:
        known = f"known are {', '.join(sorted(NODE_TYPES))}"
        meant = next((key for key in written if key != "next"), None)
        if meant is None:
            self._report(name, None, "no-verb", f"`{name}` does nothing", f"give it a verb; {known}")
            return
        hint = " ".join(filter(None, [f"{known};", closest(meant, NODE_TYPES)])).rstrip(";")
        self._report(name, meant, "unknown-verb", f"unknown node type `{meant}`", hint)

    def _report(self, node: str, key: str | None, code: str, message: str, hint: str) -> None:
        way = ("nodes", node) if key is None else ("nodes", node, key)
        self.findings.append(self.document.finding(way, code, message, hint, key=True))

    def _check_frame_targets(self, nodes: Mapping[str, Any]) -> None:
        for key in ("start", "on_failure", "on_hangup"):
            written = self.document.data.get(key) if isinstance(self.document.data, dict) else None
            name = as_written(written)  # a node may well be called `false` or 1
            if isinstance(name, str) and name not in nodes:
                hint = closest(name, nodes) or f"known: {', '.join(nodes)}"
                self.findings.append(
                    self.document.finding((key,), "unknown-node", f"there is no node `{name}`", hint)
                )

    def _compile(self, names: FlowNames, name: str, options: NodeOptions) -> Node:
        compiler = NodeCompiler(names, name, self.findings)
        return options.compile(compiler)


def _languages(data: Any) -> tuple[str, ...]:
    """The languages of a flow whose frame has faults elsewhere, as far as they can be told."""
    written = data.get("languages") if isinstance(data, dict) else None
    return tuple(one for one in written if isinstance(one, str)) if isinstance(written, list) else ("en",)


def _fallback(data: Any) -> Mapping[str, str]:
    """Which language stands in for which, as far as it can be told."""
    written = data.get("fallback") if isinstance(data, dict) else None
    pairs = written.items() if isinstance(written, dict) else ()
    return {str(one): str(other) for one, other in pairs}
