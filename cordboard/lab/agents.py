"""The agents of a scenario: each has a phone that is registered and a seat at the desk, and does as the part says.

`player` has them ready while the callers call. An agent logs in, chooses `available`, takes one call after the
other, and disposes, all through the desk's own interface. On a stage without a desk agents only have their phones.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cordboard.acd.model import FloorPlan
from cordboard.errors import LabError
from cordboard.lab import cleanup
from cordboard.lab.agent_phone import AgentPhone, make_phone
from cordboard.lab.desk_client import DeskClient
from cordboard.lab.phone_calls import Pbx
from cordboard.lab.scenario_agents import AgentPart, Deed
from cordboard.lab.sip_phone import SipPhone
from cordboard.lab.sound_steps import TONE_S, is_tone
from cordboard.telephony import reach

Say = Callable[[str, str], None]  # agent, what they do

PATIENCE_S = 3_600.0  # an agent waits for a call as long as the scenario lasts
LISTEN_EVERY_S = 0.1  # no event tells of audio that a baresip has written
TONE_WITHIN_S = 5.0
WRAP_UP_WITHIN_S = 3.0  # until the desk shows that the talk is over
SETTLE_S = 5.0
FIRST_TONE_HZ, TONE_STEP_HZ = 520.0, 70.0


@dataclass(frozen=True, slots=True)
class DeskAccess:
    """How agents get to the desk. passwords: by agent."""

    url: str
    passwords: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Office:
    """What agents of a scenario work with. desk: None where there is only a PBX."""

    pbx: Pbx
    plan: FloorPlan
    desk: DeskAccess | None = None


class SceneAgent:
    """One agent at work. tone_hz: what the phone says in every call; desk: None on a stage without one."""

    def __init__(
        self,
        name: str,
        part: AgentPart,
        plan: FloorPlan,
        phone: AgentPhone,
        desk: DeskClient | None,
        tone_hz: float,
    ) -> None:
        self.name = name
        self.phone = phone
        self.desk = desk
        self.tone_hz = tone_hz
        self._part = part
        self._plan = plan
        self._is_free = asyncio.Event()
        self._is_free.set()

    async def work(self, say: Say, fail: Say) -> None:
        """Take one call after the other, until cancelled."""
        if self._part.does[0] == "goes_dead" and isinstance(self.phone, SipPhone):
            self.phone.go_dead()
        for number in range(len(self.phone.calls), 1_000_000):
            await self.phone.incoming(PATIENCE_S)
            self._is_free.clear()
            say(self.name, "hears the phone ring")
            try:
                await self._take(self._part.deed(number), say)
            except LabError as fault:
                await self._give_up(str(fault), fail)
            await self.phone.closed(PATIENCE_S)
            await self._wrap_up(say, fail)
            self._is_free.set()

    async def get_ready(self, say: Say) -> None:
        """Choose `available` when the time has come."""
        if self.desk is None or self._part.ready_at_s is None:
            return
        await asyncio.sleep(self._part.ready_at_s)
        await self.desk.set_presence("available")
        say(self.name, "is ready")
        if self._part.does[0] == "unregisters" and isinstance(self.phone, SipPhone):
            await self.phone.unregister()
            say(self.name, "takes the phone off the PBX")

    async def settled(self) -> None:
        """Wait until the agent has nothing more to do with the last call, for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                await self._is_free.wait()

    async def hears_tone(self, frequency_hz: float, within_s: float) -> bool:
        """Whether half a second of a tone comes to the agent's ear in time."""
        until = time.monotonic() + within_s
        while not is_tone(self.phone.heard_last(TONE_S), frequency_hz):
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(LISTEN_EVERY_S)
        return True

    async def leave(self) -> None:
        """Hang up and finish a wrap-up, so that the next scenario finds the agent free."""
        await self._hang_up()
        if self.desk is None:
            return
        with contextlib.suppress(LabError):
            page = await self.desk.shows(lambda page: _state(page) in ("", "wrap_up"), WRAP_UP_WITHIN_S)
            if page["call"] is not None:
                await self.desk.dispose(next(iter(page["call"]["dispositions"]), ""))

    # One call

    async def _take(self, deed: Deed, say: Say) -> None:
        phone = self.phone
        if deed in ("rejects", "unavailable") and isinstance(phone, SipPhone):
            await phone.reject(603 if deed == "rejects" else 480)
        elif deed == "busy":
            await phone.reject()
        elif deed in ("answers", "declines"):
            await asyncio.sleep(self._part.answers_after_s)
            await phone.answer()
            say(self.name, "picks up")
            await self._answered(deed, say)
            return
        say(self.name, deed)

    async def _answered(self, deed: Deed, say: Say) -> None:
        key = self._key(accepts=False if deed == "declines" else self._part.accepts)
        if key and not await self._ends_within(self._part.accepts_after_s):
            await self.phone.press(key)
            say(self.name, f"presses {key}")
        if deed == "declines" or self._part.accepts is not True:
            return
        await self._listen()
        if self._part.talks_s is not None and not await self._ends_within(self._part.talks_s):
            await self._finish(say)

    async def _give_up(self, why: str, fail: Say) -> None:
        """What was to be done could not be done. That the caller left first is no fault of anybody's."""
        if self.phone.call is not None and self.phone.call.closed_at is None:
            fail(self.name, why)
            await self._hang_up()

    async def _hang_up(self) -> None:
        with contextlib.suppress(LabError):
            if self.phone.call is not None and self.phone.call.closed_at is None:
                await self.phone.hang_up()

    async def _listen(self) -> None:
        wanted_hz = self._part.hears_tone_hz
        if wanted_hz is not None and not await self.hears_tone(wanted_hz, TONE_WITHIN_S):
            raise LabError(f"expected to hear a tone of {wanted_hz:g} Hz within {TONE_WITHIN_S:g} s, did not")

    async def _finish(self, say: Say) -> None:
        """End the agent's part in the talk: hang up, or send the caller elsewhere."""
        target = self._part.transfers_to
        if target is None or not isinstance(self.phone, SipPhone):
            await self.phone.hang_up()
            say(self.name, "hangs up")
        elif target.blind:
            await self.phone.transfer_blind(target.blind)
            say(self.name, f"has sent the caller to {target.blind}")
        else:
            await self.phone.consult(target.attended)
            say(self.name, f"consults {target.attended}")
            await asyncio.sleep(self._part.consults_s)
            await self.phone.transfer_attended()
            say(self.name, f"has connected the caller with {target.attended}")

    async def _wrap_up(self, say: Say, fail: Say) -> None:
        """Dispose of a call that was a talk."""
        if self.desk is None or self._part.disposition is None:
            return
        try:
            page = await self.desk.shows(lambda page: _state(page) in ("", "wrap_up"), WRAP_UP_WITHIN_S)
            if page["call"] is not None:
                await asyncio.sleep(self._part.disposes_after_s)
                await self.desk.dispose(self._part.disposition, self._part.note)
                say(self.name, f"disposes: {self._part.disposition}")
        except LabError as fault:
            fail(self.name, str(fault))

    def _key(self, *, accepts: bool | None) -> str:
        """The key to press after picking up; "" for none."""
        accept_key = self._accept_key()
        if accepts is None or not accept_key:
            return ""
        return accept_key if accepts else ("2" if accept_key != "2" else "3")

    def _accept_key(self) -> str:
        offered = (self.desk.call if self.desk is not None else None) or {}
        agent = self._plan.agents.get(self.name)
        names = (offered.get("queue", ""), *(agent.queues if agent is not None else ()))
        queue = next((self._plan.queues[name] for name in names if name in self._plan.queues), None)
        return queue.accept.key if queue is not None else "1"

    async def _ends_within(self, seconds: float) -> bool:
        try:
            await self.phone.closed(timeout_s=seconds)
        except LabError:
            return False
        return True


@contextlib.asynccontextmanager
async def agents_ready(
    parts: Mapping[str, AgentPart], office: Office, say: Say, fail: Say
) -> AsyncIterator[Mapping[str, SceneAgent]]:
    """The agents are registered, logged in, and at work while the body runs. Raises LabError if one cannot be."""
    async with contextlib.AsyncExitStack() as stack:
        folder = cleanup.make_run_dir("agents")
        stack.callback(cleanup.remove_run_dir, folder)
        agents: dict[str, SceneAgent] = {}
        for number, (name, part) in enumerate(parts.items()):
            tone_hz = part.speaks_tone_hz or FIRST_TONE_HZ + TONE_STEP_HZ * (number % 12)
            agents[name] = await stack.enter_async_context(_seated(name, part, office, tone_hz, folder))
        at_work = [asyncio.create_task(agent.work(say, fail)) for agent in agents.values()]
        later = [agent for name, agent in agents.items() if parts[name].ready_at_s != 0.0]
        try:
            await asyncio.gather(*(agent.get_ready(say) for agent in agents.values() if agent not in later))
            at_work += [asyncio.create_task(agent.get_ready(say)) for agent in later]
            yield agents
        finally:
            for task in at_work:
                task.cancel()
            await asyncio.gather(*at_work, return_exceptions=True)


@contextlib.asynccontextmanager
async def _seated(
    name: str, part: AgentPart, office: Office, tone_hz: float, folder: Path
) -> AsyncIterator[SceneAgent]:
    """One agent with a registered phone, logged in."""
    async with contextlib.AsyncExitStack() as stack:
        phone = make_phone(part, extension_of(name, office.plan), office.pbx, tone_hz, folder)
        await phone.start()
        stack.push_async_callback(phone.stop)
        await phone.registered()
        desk = None
        if office.desk is not None:
            password = office.desk.passwords.get(name)
            if password is None:
                raise LabError(f"{name} has no password for the desk")
            desk = await stack.enter_async_context(DeskClient(office.desk.url, name, password))
        agent = SceneAgent(name, part, office.plan, phone, desk, tone_hz)
        stack.push_async_callback(agent.leave)
        yield agent


def extension_of(agent: str, plan: FloorPlan) -> str:
    """The extension an agent's device registers as. Raises LabError if the lab has no such phone."""
    configured = plan.agents.get(agent)
    if configured is None:
        raise LabError(
            f"{agent} is no agent of this configuration; agents.yaml has: {', '.join(plan.agents) or 'none'}"
        )
    extension = reach.extension_of(configured.device)
    if not configured.device.startswith(("PJSIP/", "user/", "sofia/")) or not extension:
        raise LabError(f"the lab has no phone for {configured.device}, the device of {agent}")
    return extension


def _state(page: Mapping[str, object]) -> str:
    """The state of the call on an agent's page, "" without one."""
    call = page["call"]
    return str(call["state"]) if isinstance(call, Mapping) else ""
