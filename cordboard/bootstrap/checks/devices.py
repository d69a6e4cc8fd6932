"""Check `devices`: Asterisk has the device of every agent who has a phone of Asterisk's. One that it does not know
never rings.
"""

from __future__ import annotations

from collections.abc import Sequence

from cordboard.bootstrap.checks.manager_session import NoLogin
from cordboard.bootstrap.checks.premises import NotLookedAt, Premises
from cordboard.bootstrap.checks.result import Check, Result, counted, fault, listed, note, ok
from cordboard.errors import SwitchError
from cordboard.telephony.reach import switch_of

_NOT_THERE = "INVALID"


async def look(premises: Premises) -> Sequence[Result]:
    """The agents whose device is unknown to Asterisk, and how many are not registered."""
    plan = premises.plan
    agents = {name: agent for name, agent in plan.agents.items() if switch_of(agent.device) == "asterisk"}
    if not agents:
        return [ok("no agent has a phone of Asterisk's" if plan.agents else "no agents are configured")]
    states = await _states(premises, {agent.device for agent in agents.values()})
    if None in states.values():
        seen = "not looked at: Asterisk has no function DEVICE_STATE"
        return [note(seen, "asterisk -rx 'module load func_devstate.so'")]
    strange = [f"{agent.device} of {name}" for name, agent in agents.items() if states[agent.device] == _NOT_THERE]
    if strange:
        fix = "correct `device:` in agents.yaml; asterisk -rx 'pjsip show endpoints' lists what there is"
        return [fault(f"Asterisk does not know {listed(strange)}", fix)]
    away = sum(state == "UNAVAILABLE" for state in states.values())
    return [ok(f"Asterisk knows the device of each of {counted(len(agents), 'agent')}; {away} not registered now")]


async def _states(premises: Premises, devices: set[str]) -> dict[str, str | None]:
    """Each device's state in Asterisk's words. Raises NotLookedAt if it cannot be asked."""
    try:
        session = await premises.manager()
        return {device: await session.value(f"DEVICE_STATE({device})") for device in sorted(devices)}
    except (NoLogin, SwitchError, TimeoutError) as failure:
        raise NotLookedAt("there is no manager log-in") from failure


CHECK = Check("devices", look, "Asterisk does not answer: asterisk -rx 'core show uptime'", switch="asterisk")
