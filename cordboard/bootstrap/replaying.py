"""The flows that a recorded call is replayed on: those it was on, those of another revision, or today's files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cordboard.bootstrap.call_traces import CallTrace
from cordboard.bootstrap.configuration import load_configuration, read_surroundings
from cordboard.bootstrap.floor_files import NotKnown
from cordboard.bootstrap.flow_desk import DRAFT, FlowDesk
from cordboard.bootstrap.older_flows import OlderFlows
from cordboard.bootstrap.revisions import Revisions
from cordboard.flows.flow import Flow
from cordboard.flows.replay import FlowOf
from cordboard.service.called_back import flow_named, is_made_here


def flows_for(directory: Path, state: Path, found: CallTrace, revision: str) -> FlowOf:
    """revision: "" for those the call was on; "draft"; or one of the flow the call began in, by its beginning.

    Raises NotKnown for a revision there is not, ConfigurationError for faults in today's files.
    """
    older = _Cached(OlderFlows(Revisions(state), lambda: read_surroundings(directory), None), found)
    if not revision:
        return older.find
    if revision == DRAFT:
        flows = load_configuration(directory, need_secrets=False).house.flows
        return lambda name, _: flows.get(name)
    began_in = found.traced.flow
    kept = FlowDesk(directory).kept(began_in, revision)
    other = older.find(began_in, kept.revision)
    if other is None:
        raise NotKnown(f"revision {kept.revision} of flow `{began_in}` cannot be read any more")
    return lambda name, its: other if name == began_in else older.find(name, its)


def _made_here(name: str, found: CallTrace) -> Flow:
    """What a leg went through that was made to call somebody back: it began in the queue that it was made for."""
    asked = (step.data.get("verb", {}).get("Enqueue") for step in found.steps)
    began = str(found.steps[0].data["node"]).rpartition("/")[2]
    return replace(flow_named(name, {enqueued["queue"] for enqueued in asked if enqueued}), start=began)


class _Cached:
    """Each revision is compiled once. call: the one that is replayed."""

    def __init__(self, older: OlderFlows, call: CallTrace) -> None:
        self._older = older
        self._call = call
        self._found: dict[tuple[str, str], Flow | None] = {}

    def find(self, name: str, revision: str) -> Flow | None:
        """The revision, None if it is not kept."""
        if (name, revision) not in self._found:
            made_here = is_made_here(revision)
            self._found[name, revision] = (
                _made_here(name, self._call) if made_here else self._older.find(name, revision)
            )
        return self._found[name, revision]
