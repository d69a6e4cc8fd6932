"""What the agents of `agents.yaml` say of each other: codes and numbers must be one agent's own, exempt ones known.

Called by `floor_plan`, for agents that are each well written.
"""

from __future__ import annotations

from collections.abc import Iterator

from cordboard.acd.agents_file import AgentsFile
from cordboard.config.document import Document, Keys
from cordboard.config.findings import Finding
from cordboard.config.validation import closest

_OWN = "each agent has their own"


def agent_findings(agents: AgentsFile, document: Document) -> Iterator[Finding]:
    """Every fault between agents."""
    for code, owner, way in _shared(_codes(agents)):
        message = f"`{code}` is the code of {owner} already"
        yield document.finding(way, "shared-code", message, _OWN)
    for number, owner, way in _shared(_numbers(agents)):
        message = f"`{number}` is a number of {owner} already"
        yield document.finding(way, "shared-number", message, _OWN)
    yield from _unknown_exempt(agents, document)


def _codes(agents: AgentsFile) -> Iterator[tuple[str, str, Keys]]:
    for name, agent in agents.agents.items():
        if agent.code is not None:
            yield agent.code, name, ("agents", name, "code")


def _numbers(agents: AgentsFile) -> Iterator[tuple[str, str, Keys]]:
    for name, agent in agents.agents.items():
        for place, number in enumerate(agent.numbers):
            yield number, name, ("agents", name, "numbers", place)


def _shared(given: Iterator[tuple[str, str, Keys]]) -> Iterator[tuple[str, str, Keys]]:
    """What a second agent gives too: it, the name of the first, and the place in the second."""
    owners: dict[str, str] = {}
    for value, name, way in given:
        owner = owners.setdefault(value, name)
        if owner != name:
            yield value, owner, way


def _unknown_exempt(agents: AgentsFile, document: Document) -> Iterator[Finding]:
    pauses = agents.pause_reasons if isinstance(agents.pause_reasons, dict) else {}
    for reason, pause in pauses.items():
        for place, name in enumerate(pause.exempt):
            if name not in agents.agents:
                hint = closest(name, agents.agents) or f"known: {', '.join(sorted(agents.agents)) or 'none'}"
                way = ("pause_reasons", reason, "exempt", place)
                yield document.finding(way, "unknown-agent", f"there is no agent `{name}`", hint)
