"""What an agent who calls in has done: who it is, by number or by code and PIN, and then what the desk would do.

Called by the errands of a conversation. A wrong code and a wrong PIN get the same answer after the same time; wrong
PINs are counted for each code and for each caller's number, as long as this process lives. Nothing here is logged
with a code, a PIN or a number.
"""

from __future__ import annotations

from typing import Protocol

import structlog

from cordboard.acd.model import Agent, Presence
from cordboard.acd.presence import PresenceRefused
from cordboard.errors import StoreUnavailable
from cordboard.service.attempts import Attempts
from cordboard.service.floor import Floor
from cordboard.service.passwords import PasswordCheck, TooBusy
from cordboard.store.acd_values import AgentView
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import ActedAsAgent, AgentRefused
from cordboard.telephony.verbs import ActAsAgent

WINDOW_S = 900.0
WRONG_OF_ONE_CODE = 5  # then one more every 3 min: of a million PINs somebody who never stops tries 480 a day
WRONG_FROM_ONE_NUMBER = 20  # a house with one number has many agents

_PRESENCE = {"log_out": Presence.LOGGED_OUT, "ready": Presence.AVAILABLE, "pause": Presence.PAUSED}

log = structlog.get_logger()


class Pins(Protocol):
    """What is kept of agents' PINs: `store.agent_pins.StoredPins`."""

    async def pin_hash(self, agent: str) -> str | None:
        """The argon2 hash, None for an agent without a PIN. Raises StoreUnavailable."""
        ...


class AgentLine:
    """The agents who call one worker."""

    def __init__(self, floor: Floor, pins: Pins) -> None:
        self._floor = floor
        self._pins = pins
        self._check = PasswordCheck()
        self._of_code = Attempts(WRONG_OF_ONE_CODE, WINDOW_S)
        self._from_number = Attempts(WRONG_FROM_ONE_NUMBER, WINDOW_S)

    def close(self) -> None:
        """End the threads that check PINs."""
        self._check.close()

    async def run(self, call: Call, verb: ActAsAgent) -> ActedAsAgent | AgentRefused:
        """Carry a verb out. Never raises for what the store does."""
        try:
            return await (self._log_in(call, verb) if verb.action == "log_in" else self._act(verb))
        except PresenceRefused as refused:
            return AgentRefused("full" if refused.why == "pause_full" else "not_possible")
        except ValueError:
            return AgentRefused("not_possible")
        except StoreUnavailable as fault:
            log.error("agent_line_without_store", call_id=call.call_id, action=verb.action, reason=str(fault))
            return AgentRefused("no_store")

    # -- who it is --

    async def _log_in(self, call: Call, verb: ActAsAgent) -> ActedAsAgent | AgentRefused:
        agent = self._agent_of(call, verb)
        if verb.pin is not None:
            refused = await self._refusal(agent, verb.code or call.ani, call.ani, verb.pin)
            if refused is not None:
                log.warning("agent_refused", call_id=call.call_id, reason=refused.reason)
                return refused
        if agent is None:
            return AgentRefused("unknown")
        view = await self._view(agent.name)
        if view is None or view.presence is Presence.LOGGED_OUT:
            await self._floor.agents.set_presence(agent.name, Presence.PAUSED)
        log.info("agent_called_in", call_id=call.call_id, agent=agent.name)
        return await self._now(agent.name)

    def _agent_of(self, call: Call, verb: ActAsAgent) -> Agent | None:
        """Whose code or number it is."""
        agents = self._floor.plan.agents.values()
        if verb.code:
            return next((agent for agent in agents if agent.code == verb.code), None)
        return next((agent for agent in agents if agent.calls_from(call.ani)), None)

    async def _refusal(self, agent: Agent | None, key: str, number: str, pin: str) -> AgentRefused | None:
        """Why this PIN does not do; None if it does. Attempts count before it is known how they end."""
        if self._of_code.wait_s(key) or self._from_number.wait_s(number):
            return AgentRefused("too_many")
        self._of_code.count(key)
        self._from_number.count(number)
        pin_hash = None if agent is None else await self._pins.pin_hash(agent.name)
        try:
            if not await self._check.is_right(pin_hash, pin):
                return AgentRefused("unknown")
        except TooBusy:
            return AgentRefused("too_many")
        self._of_code.forgive(key)
        self._from_number.forgive(number)
        return None

    # -- what they do --

    async def _act(self, verb: ActAsAgent) -> ActedAsAgent | AgentRefused:
        if verb.agent not in self._floor.plan.agents:  # taken out since they called in
            return AgentRefused("unknown")
        if verb.action == "dispose":
            await self._floor.agents.dispose_last(verb.agent, verb.value)
        elif verb.action == "extend":
            await self._floor.agents.extend_last(verb.agent)
        else:
            await self._floor.agents.set_presence(verb.agent, _PRESENCE[verb.action], verb.value)
        return await self._now(verb.agent)

    async def _now(self, agent: str) -> ActedAsAgent | AgentRefused:
        view = await self._view(agent)
        if view is None:
            return AgentRefused("unknown")
        wraps_up = view.activity == "wrap_up"
        return ActedAsAgent(agent, view.full_name, view.presence.value, view.presence_reason, wraps_up)

    async def _view(self, agent: str) -> AgentView | None:
        return (await self._floor.snapshot()).agent(agent)
