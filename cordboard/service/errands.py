"""What flows have done without the phone: web services asked, scripts run, notes taken, calls back booked, agents
who call in logged in.

Called by `conversation`, while the caller waits or after they have left. Every errand ends by a deadline of its own
and comes to an outcome, whatever the outside world does; cancelled, because the caller has left, it leaves nothing
running behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from cordboard.scripts_section import Script, ScriptPoolSection
from cordboard.service.http_requests import HttpRequests
from cordboard.service.scripts import Scripts
from cordboard.service.web_services import OpenService
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Outcome
from cordboard.telephony.verbs import ActAsAgent, HttpRequest, Note, RequestCallback, RunScript

Errand = HttpRequest | RunScript | Note | RequestCallback | ActAsAgent


class NoteTaker(Protocol):
    """Who writes to the store what a flow wants to be kept; see `notes`."""

    async def run(self, call: Call, verb: Note | RequestCallback) -> Outcome:
        """Keep it. Never raises for what the store does."""


class AgentActions(Protocol):
    """Who does what agents ask for by telephone; see `agent_line`."""

    async def run(self, call: Call, verb: ActAsAgent) -> Outcome:
        """Do it. Never raises for what the store does."""


class Errands:
    """The errands of one worker."""

    def __init__(self, http: HttpRequests, scripts: Scripts, notes: NoteTaker, agents: AgentActions) -> None:
        self._http = http
        self._scripts = scripts
        self._notes = notes
        self._agents = agents

    async def run(self, call: Call, verb: Errand) -> Outcome:
        """What came of it, by the verb's deadline."""
        match verb:
            case HttpRequest():
                return await self._http.request(call.call_id, verb)
            case RunScript():
                return await self._scripts.run(call.call_id, verb)
            case ActAsAgent():
                return await self._agents.run(call, verb)
        return await self._notes.run(call, verb)

    async def use(
        self, services: Mapping[str, OpenService], scripts: Mapping[str, Script], pool: ScriptPoolSection
    ) -> None:
        """Ask and run these from now on. What is under way comes to its end with the old ones."""
        await self._http.use(services)
        self._scripts.use(scripts, pool)

    def warm(self) -> None:
        """Be ready before the first caller is."""
        self._scripts.warm()

    async def aclose(self) -> None:
        """Let go of connections and processes."""
        await self._http.aclose()
        await self._scripts.aclose()
