"""Which agents' phones the callers of each switch can be joined to, from the settings and agents.yaml together.

Called when a configuration is loaded. What is rung is kept with each agent (`Agent.ways`); a phone that no caller
can be joined to is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cordboard.acd import agents_file
from cordboard.acd.model import Agent, FloorPlan
from cordboard.acd.written_values import read_if_there
from cordboard.config.findings import Finding
from cordboard.telephony.reach import Reach, switch_of


def with_ways(plan: FloorPlan, reach: Reach) -> FloorPlan:
    """The plan with what rings each phone, by the switch of the caller."""
    agents = {name: replace(agent, ways=_ways(agent, reach)) for name, agent in plan.agents.items()}
    return replace(plan, agents=agents, switches=reach.switches)


def _ways(agent: Agent, reach: Reach) -> dict[str, str]:
    """Nothing where the only switch rings its own phone: then it need not be asked."""
    ways = reach.ways(agent.device)
    return {} if ways == dict.fromkeys(reach.switches, agent.device) else ways


def reach_findings(directory: Path, plan: FloorPlan, reach: Reach) -> Iterator[Finding]:
    """Agents whose phone no caller can be joined to."""
    lost = [agent for agent in plan.agents.values() if not reach.ways(agent.device)]
    document = read_if_there(directory, agents_file.FILE) if lost else None
    if document is None:
        return
    for agent in lost:
        own = switch_of(agent.device)
        message = f"`{agent.device}` is a phone of {own}, which no call can reach"
        trunk = f"`{reach.switches[0]}: {{reaches: {{{own}: ...}}}}`"
        hint = f"name {own} under `switches:`, or write a trunk to it: {trunk}"
        yield document.finding(("agents", agent.name, "device"), "unreachable-device", message, hint)
