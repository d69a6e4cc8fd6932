"""The flow of a call that began before this process did: its kept revision, compiled again.

Asked by `Houses` when a call comes back on a revision that this worker has never had. A revision was checked when
it went live; what it refers to may be gone since (an extension, a queue, a field of the CRM), and must not take the
rest of it along: only the node that needs it breaks, if a call comes there at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from cordboard.bootstrap.revisions import Revisions
from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.flow import Flow
from cordboard.flows.loader import load_flow
from cordboard.flows.subflows import shape_of
from cordboard.flows.surroundings import Surroundings
from cordboard.prompts.library import PromptLibrary

log = structlog.get_logger()

MAX_DEPTH = 20  # flows that call each other; more than can be loaded at all


class OlderFlows:
    """surroundings: what there is today; library: where prompts are made findable, None if nobody hears them."""

    def __init__(
        self, revisions: Revisions, surroundings: Callable[[], Surroundings | None], library: PromptLibrary | None
    ) -> None:
        self._revisions = revisions
        self._surroundings = surroundings
        self._library = library

    def find(self, name: str, revision: str) -> Flow | None:
        """The revision, ready for calls; None if it is not kept, or cannot be read any more."""
        try:
            flow = self._load(name, revision, MAX_DEPTH)
        except (ConfigurationError, OSError) as fault:
            log.error("revision_unreadable", flow=name, revision=revision, reason=str(fault))
            return None
        if flow is not None and self._library is not None:
            self._recall_prompts(flow, self._library)
            log.info("revision_recalled", flow=name, revision=revision)
        return flow

    def _load(self, name: str, revision: str, depth: int) -> Flow | None:
        kept, file = self._revisions.find(name, revision), self._revisions.text_file(name, revision)
        if kept is None or file is None or not depth:
            return None
        called = {one: self._load(one, its, depth - 1) for one, its in kept.subflows.items()}
        flows = {one: flow for one, flow in called.items() if flow is not None}
        flow = load_flow(read_yaml(file), self._around(name, flows), flows, is_kept=True)
        return replace(flow, revision=revision)  # also if a newer release counts otherwise

    def _around(self, name: str, flows: dict[str, Flow]) -> Surroundings | None:
        """What there is today, and the flows that this one was made with."""
        around = self._surroundings()
        if around is None:
            return None
        shapes = {one: shape_of(flow) for one, flow in flows.items()}
        return replace(
            around, flow_names=around.flow_names | flows.keys() | {name}, subflows={**around.subflows, **shapes}
        )

    def _recall_prompts(self, flow: Flow, library: PromptLibrary) -> None:
        library.recall(flow.all_prompts())
        for called in flow.subflows.values():
            self._recall_prompts(called, library)
