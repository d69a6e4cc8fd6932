"""Loads `queues.yaml` and `agents.yaml` as one `FloorPlan`, or says everything that is wrong with them.

Called when the service starts or reloads, and by the command line. Either file may be missing; then there are no
queues or no agents.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from cordboard.acd import agents_file, queues_file
from cordboard.acd.agent_checks import agent_findings
from cordboard.acd.agents_file import AgentsFile
from cordboard.acd.capacity_section import overflow_to_other_media, units_nobody_has
from cordboard.acd.model import FloorPlan
from cordboard.acd.pauses_section import pause_rules
from cordboard.acd.queues_file import QueuesFile
from cordboard.acd.skill_checks import skill_findings
from cordboard.acd.written_values import read_if_there
from cordboard.acd.written_waiting import overflow_faults
from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.config.validation import Section, closest, validate
from cordboard.errors import ConfigurationError

_SectionT = TypeVar("_SectionT", bound=Section)


def load_floor_plan(directory: Path) -> FloorPlan:
    """The queues and agents of a configuration. Raises ConfigurationError with every fault of both files.

    What the files say of each other is checked as far as each of them can be read.
    """
    findings: list[Finding] = []
    queues, queues_document = _read(QueuesFile, directory, queues_file.FILE, findings)
    agents, agents_document = _read(AgentsFile, directory, agents_file.FILE, findings)
    if agents and agents_document:
        findings += _shared_devices(agents, agents_document)
        findings += agent_findings(agents, agents_document)
    if agents and agents_document and queues:
        findings += _unknown_queues(agents, agents_document, queues)
    if queues and queues_document:
        findings += overflow_faults(queues.queues, queues_document)
        findings += overflow_to_other_media(queues.queues, queues_document)
    if queues and queues_document and agents:
        findings += _queues_without_agents(queues, queues_document, agents)
        findings += skill_findings(queues, queues_document, agents)
        findings += units_nobody_has(queues.queues, queues_document, agents.agents)
    if findings or queues is None or agents is None:
        raise ConfigurationError(sorted(findings))
    return FloorPlan(
        queues={name: written.as_queue(name) for name, written in queues.queues.items()},
        agents={name: written.as_agent(name, place) for place, (name, written) in enumerate(agents.agents.items())},
        pause_reasons=tuple(agents.pause_reasons),
        pauses=pause_rules(agents.pause_reasons),
    )


def _read(
    model: type[_SectionT], directory: Path, file: str, findings: list[Finding]
) -> tuple[_SectionT | None, Document | None]:
    """A file as its model, with its document; the model is None if it has faults, which go on the list."""
    try:
        document = read_if_there(directory, file)
    except ConfigurationError as error:
        findings += error.findings
        return None, None
    if document is None:
        return model(), None
    section, found = validate(model, document)
    findings += found
    return section, document


def _unknown_queues(agents: AgentsFile, document: Document, queues: QueuesFile) -> Iterator[Finding]:
    known = queues.queues
    for name, agent in agents.agents.items():
        for place, queue in enumerate(agent.queues):
            if queue not in known:
                hint = closest(queue, known) or f"known: {', '.join(sorted(known)) or 'none'}"
                is_list = isinstance(agent.queues, tuple)
                way = ("agents", name, "queues", place if is_list else queue)
                message = f"there is no queue `{queue}`"
                yield document.finding(way, "unknown-queue", message, hint, key=not is_list)


def _shared_devices(agents: AgentsFile, document: Document) -> Iterator[Finding]:
    """Devices of two agents: the phone of one would ring for the other, and be busy with the other's talks."""
    owners: dict[str, str] = {}
    for name, agent in agents.agents.items():
        owner = owners.setdefault(agent.device.lower(), name)
        if owner != name:
            message = f"`{agent.device}` is the device of {owner} already"
            yield document.finding(("agents", name, "device"), "shared-device", message, "each agent has their own")


def _queues_without_agents(queues: QueuesFile, document: Document, agents: AgentsFile) -> Iterator[Finding]:
    """Queues in which callers would wait for nobody."""
    served = {queue for agent in agents.agents.values() for queue in agent.queues}
    for name in queues.queues:
        if name not in served:
            hint = f"write `queues: [{name}]` for one of {agents_file.FILE}, or take the queue out"
            yield document.finding(("queues", name), "no-agents", f"no agent serves `{name}`", hint, key=True)
