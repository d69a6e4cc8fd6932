"""Which phones the callers of each switch can be joined to, from the settings and agents.yaml together.

Called when a configuration is loaded. What is rung is kept with each agent (`Agent.ways`); a phone that no caller
can be joined to is a fault. One that callers of some switch cannot be joined to is one of the flow that dials it
(`flows.dial_targets`), or goes for agents of queues by itself: they are not offered those callers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from cordboard.acd import agents_file
from cordboard.acd.model import Agent, FloorPlan
from cordboard.acd.written_values import read_if_there
from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.settings import Settings
from cordboard.telephony.capabilities import SwitchName
from cordboard.telephony.dial_policy import PLACEHOLDER
from cordboard.telephony.reach import Reach, switch_of

_PHONES: Mapping[SwitchName, str] = {"asterisk": "PJSIP/1001", "freeswitch": "user/1001"}


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
        yield document.finding(
            ("agents", agent.name, "device"), "unreachable-device", *_unreachable(agent.device, reach)
        )


def unreachable_devices(settings: Settings, document: Document) -> Iterator[Finding]:
    """What `cordboard.yaml` names and no call can ring: phones of extensions, and the trunk to numbers outside."""
    reach = settings.reach()
    for pattern, device in settings.extensions.items():
        if not any(reach.rings(switch, device.replace(PLACEHOLDER, "1")) for switch in reach.switches):
            yield document.finding(("extensions", pattern), "unreachable-device", *_unreachable(device, reach))
    outside = settings.outside
    if outside is not None and (own := switch_of(outside.device)) not in reach.switches:
        message = f"`{outside.device}` is a trunk of {own}, and no calls come in on {own}"
        hint = f"write a device of {reach.switches[0]}, or name {own} under `switches:`"
        yield document.finding(("outside", "device"), "unreachable-device", message, hint)


def _unreachable(device: str, reach: Reach) -> tuple[str, str]:
    own = switch_of(device)
    here = reach.switches[0]
    trunk = f"`{here}: {{reaches: {{{own}: ...}}}}`"
    return (
        f"`{device}` is a phone of {own}, which no call can reach",
        f"write one of {here} ({_PHONES[here]}), name {own} under `switches:`, or write a trunk to it: {trunk}",
    )
