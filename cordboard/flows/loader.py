"""Turns flow files into flows, or into a list of everything that is wrong with them.

Called when the service starts or reloads, and by the command line. Nothing of this runs during a call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.config.scalars import as_written
from cordboard.config.validation import closest, validate
from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.compiler import FlowNames, NodeCompiler
from cordboard.flows.conditions import Scope
from cordboard.flows.flow import Flow
from cordboard.flows.node import Node
from cordboard.flows.nodes import NODE_TYPES
from cordboard.flows.options import NodeOptions
from cordboard.flows.prompt_texts import read_prompts
from cordboard.flows.schema import FlowFrame
from cordboard.flows.surroundings import Surroundings
from cordboard.flows.variables import Variables, infer_variables

_UNKNOWN = Surroundings(is_known=False)


def load_flows(directory: Path, surroundings: Surroundings | None) -> dict[str, Flow]:
    """All flows of a directory's `*.yaml` files, by name.

    surroundings: None if the settings have faults themselves; what flows name there is not checked then.
    Raises ConfigurationError with all faults of all files.
    """
    surroundings = surroundings or _UNKNOWN
    findings: list[Finding] = []
    documents = list(_read_all(directory, findings))
    names = surroundings.flow_names | {_written_name(document) for document in documents}
    flows: dict[str, Flow] = {}
    for document in documents:
        try:
            flow = load_flow(document, replace(surroundings, flow_names=names))
        except ConfigurationError as error:
            findings += error.findings
            continue
        if flow.name in flows:
            findings.append(document.finding(("flow",), "duplicate-flow", f"another file has a flow `{flow.name}`"))
        flows[flow.name] = flow
    if findings:
        raise ConfigurationError(sorted(findings))
    return flows


def load_flow(document: Document, surroundings: Surroundings | None) -> Flow:
    """The flow in a document. Raises ConfigurationError with all its faults, in file order."""
    frame, findings = validate(FlowFrame, document)
    draft = _Draft(document, frame, surroundings or _UNKNOWN, findings)
    nodes = draft.compile_nodes()
    if draft.findings or frame is None:
        raise ConfigurationError(sorted(set(draft.findings)))
    start = frame.start or next(iter(nodes))
    return Flow(
        name=frame.flow,
        revision=_revision(document.data, start),
        languages=frame.languages,
        answer=frame.answer,
        start=start,
        on_failure=frame.on_failure or "",
        zone=draft.zone.key,
        prompts=draft.prompts,
        nodes=nodes,
        variables=draft.variables.kinds,
        secrets=frozenset(draft.variables.secrets),
    )


def _read_all(directory: Path, findings: list[Finding]) -> Iterator[Document]:
    for path in sorted(directory.glob("*.yaml")):
        try:
            yield read_yaml(path)
        except ConfigurationError as error:
            findings += error.findings


def _written_name(document: Document) -> str:
    data = document.data
    return str(data.get("flow", "")) if isinstance(data, dict) else ""


def _revision(data: Any, start: str) -> str:
    content = json.dumps([data, start], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()[:12]


@dataclass(slots=True)
class _Draft:
    """A flow in the making. frame: None if it has faults; the nodes are checked all the same."""

    document: Document
    frame: FlowFrame | None
    surroundings: Surroundings
    findings: list[Finding]
    prompts: Mapping[str, Any] = field(default_factory=dict)
    variables: Variables = field(default_factory=Variables)

    def compile_nodes(self) -> dict[str, Node]:
        """The nodes by name; findings are noted in the draft."""
        written = self._section("nodes")
        languages = self.frame.languages if self.frame else _languages(self.document.data)
        self.prompts = read_prompts(self.document, self._flow_name(), languages, self.findings)
        options = {name: one for name in written if (one := self._options(name, written[name]))}
        declared = [(name, one) for name, node in options.items() for one in node.declares()]
        self.variables = infer_variables(declared, self.document, self.surroundings.customer_fields)
        self.findings += self.variables.findings
        is_complete = self.variables.is_complete and len(options) == len(written)
        names = self._names(languages, written, is_complete)
        self._check_frame_targets(written)
        return {name: self._compile(names, name, one) for name, one in options.items()}

    def _names(self, languages: tuple[str, ...], nodes: Mapping[str, Any], is_complete: bool) -> FlowNames:
        """is_complete: every variable is known, so what is not declared does not exist."""
        kinds, secrets = self.variables.kinds, frozenset(self.variables.secrets)
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
            scope=Scope(kinds, secrets) if is_complete else None,
        )

    @property
    def zone(self) -> ZoneInfo:
        """The flow's own time zone, or that of the settings."""
        return ZoneInfo((self.frame and self.frame.zone) or self.surroundings.zone)

    def _section(self, key: str) -> Mapping[str, Any]:
        data = self.document.data
        section = data.get(key) if isinstance(data, dict) else None
        return section if isinstance(section, dict) else {}

    def _flow_name(self) -> str:
        return _written_name(self.document)

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
        for key in ("start", "on_failure"):
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
