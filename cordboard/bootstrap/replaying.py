"""The flows that a recorded call is replayed on: those it was on, those of another revision, or today's files."""

from __future__ import annotations

from pathlib import Path

from cordboard.bootstrap.call_traces import CallTrace
from cordboard.bootstrap.configuration import load_configuration, read_surroundings
from cordboard.bootstrap.floor_files import NotKnown
from cordboard.bootstrap.flow_desk import DRAFT, FlowDesk
from cordboard.bootstrap.older_flows import OlderFlows
from cordboard.bootstrap.revisions import Revisions
from cordboard.flows.flow import Flow
from cordboard.flows.replay import FlowOf


def flows_for(directory: Path, state: Path, found: CallTrace, revision: str) -> FlowOf:
    """revision: "" for those the call was on; "draft"; or one of the flow the call began in, by its beginning.

    Raises NotKnown for a revision there is not, ConfigurationError for faults in today's files.
    """
    older = _Cached(OlderFlows(Revisions(state), lambda: read_surroundings(directory), None))
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


class _Cached:
    """Each revision is compiled once."""

    def __init__(self, older: OlderFlows) -> None:
        self._older = older
        self._found: dict[tuple[str, str], Flow | None] = {}

    def find(self, name: str, revision: str) -> Flow | None:
        """The revision, None if it is not kept."""
        if (name, revision) not in self._found:
            self._found[name, revision] = self._older.find(name, revision)
        return self._found[name, revision]
