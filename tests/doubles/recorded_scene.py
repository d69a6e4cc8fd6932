"""What happened beside the connections of a recording, done to a fake FreeSWITCH: the notes of who recorded.

Some notes say what was seen on the switch by somebody else; that is looked for on the fake.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from tests.doubles.esl_told import Hearing
from tests.doubles.fake_freeswitch import FakeFreeswitch
from tests.doubles.fake_freeswitch.channel import Channel

WAIT_S = 15.0
LOOK_S = 0.02
PAUSE_S = 0.5  # "w" among the keys
AT_ONCE_S = 1.0  # what played had two seconds to go and more

Seen = tuple[str, str] | None
"""What was recorded, and what the fake shows."""

_LEG = r"{0} state=(\S+) callstate=\S+ app=(\S*) dest=\S* call_uuid=(\S*)"


class Scene:
    """caller: None where nobody has called. keys: those that the switch took notice of, in the end. witness: what a
    second client hears of the caller's applications that have ended.
    """

    def __init__(self, switch: FakeFreeswitch, caller: Channel | None, keys: str, witness: Hearing) -> None:
        self._witness = witness
        self._keys = list(keys)
        self._switch = switch
        self._caller = caller

    async def happen(self, note: str) -> Seen:
        """Do what it says; what was seen, if it says that."""
        for pattern, function in _NOTES:
            if found := re.search(pattern, note):
                return await function(self, found)
        return None

    @property
    def _agent(self) -> Channel | None:
        """The leg that was made last."""
        return next((leg for leg in reversed(self._switch.legs()) if leg.profile.direction == "outbound"), None)

    async def _press(self, found: re.Match[str]) -> None:
        assert self._caller is not None
        for key in found[1]:
            if key == "w":
                await asyncio.sleep(PAUSE_S)
            elif self._keys[:1] == [key]:
                self._caller.press(self._keys.pop(0))

    async def _caller_leaves(self, found: re.Match[str]) -> None:
        assert self._caller is not None
        self._caller.hang_up()

    async def _agent_answers(self, found: re.Match[str]) -> None:
        if self._agent is not None:
            self._agent.pick_up()

    async def _agent_presses(self, found: re.Match[str]) -> None:
        if self._agent is not None:
            self._agent.press(found[1])

    async def _agent_leaves(self, found: re.Match[str]) -> None:
        if self._agent is not None:
            self._agent.hang_up(found[1] or "NORMAL_CLEARING")

    async def _agent_is_ended(self, found: re.Match[str]) -> None:
        """In these recordings it was `uuid_kill` that ended the leg, and not the phone."""
        if self._agent is not None:
            self._agent.hang_up(by_us=True)

    async def _other_call(self, found: re.Match[str]) -> None:
        await self._switch.api("originate loopback/9196/default &playback(silence_stream://-1)")
        await asyncio.sleep(0.1)
        self._switch.legs()[-1].hang_up()

    async def _whether_caller(self, found: re.Match[str]) -> Seen:
        return found[1], str(self._lives(self._caller)).lower()

    async def _whether_agent(self, found: re.Match[str]) -> Seen:
        return found[1], str(self._agent is not None).lower()

    def _lives(self, leg: Channel | None) -> bool:
        return leg is not None and self._switch.channel(leg.leg_id) is not None

    async def _went_on(self, found: re.Match[str]) -> Seen:
        """The dialplan went on; at once, which cuts what plays, or when that was over."""
        assert self._caller is not None
        ended = self._witness.lanes[self._caller.leg_id]
        async with asyncio.timeout(WAIT_S):
            while not any("Application-Data: after_socket=reached" in told for told in ended):
                await asyncio.sleep(LOOK_S)
        played = [told for told in ended if "Application: playback" in told]
        ours = "cut" if any("Application-Response: PLAYBACK ERROR" in told for told in played) else "to its end"
        recorded = "cut" if float(found[1]) < AT_ONCE_S else "to its end"
        return (recorded, ours) if played else ("idle", "idle")

    async def _caller_leaves_agent(self, found: re.Match[str]) -> Seen:
        """Nobody of ours was there to see it: the hook on the caller's leg ended the agent's."""
        assert self._caller is not None
        self._caller.hang_up()
        await self._caller.ended.wait()
        return "agent's leg: False", f"agent's leg: {self._lives(self._agent)}"

    async def _stays(self, found: re.Match[str]) -> Seen:
        assert self._caller is not None
        return "socket", self._caller.application if self._lives(self._caller) else ""

    async def _states(self, found: re.Match[str]) -> Seen:
        return _of_note(found[0]), " ".join([self._state(self._caller), self._state(self._agent)]).strip()

    def _state(self, leg: Channel | None) -> str:
        if leg is None or leg.cause:
            return ""
        who = {self._caller.leg_id if self._caller else "": "CALLER"}
        mine = who.get(leg.leg_id, "AGENT")
        joined = who.get(leg.call_id, "AGENT") if leg.call_id else mine
        return f"{mine} {leg.state} {leg.application} {joined}"


def _of_note(text: str) -> str:
    """A leg that was never joined has its own id, or none: the same to who reads it."""
    told = []
    for who in ("CALLER", "AGENT"):
        if found := re.search(_LEG.format(who), text):
            told.append(f"{who} {found[1]} {found[2]} {found[3].strip(';') or who}")
    return " ".join(told)


_NOTES: list[tuple[str, Callable[[Scene, re.Match[str]], Awaitable[Seen | None]]]] = [
    (r"(?:DTMF|uuid_recv_dtmf) ([0-9#*w]+)", Scene._press),
    (r"^caller hangs up while the agent still rings", Scene._caller_leaves_agent),
    (r"^caller hangs up", Scene._caller_leaves),
    (r"agent answers the phone", Scene._agent_answers),
    (r"agent presses (.)", Scene._agent_presses),
    (r"^agent hangs up$", Scene._agent_is_ended),
    (r"agent hangs up(?: ([A-Z_]+))?", Scene._agent_leaves),
    (r"unrecorded client originates", Scene._other_call),
    (r"caller channel exists: (\w+)", Scene._whether_caller),
    (r"agent leg alive: (\w+)", Scene._whether_agent),
    (r"after_socket=reached after ([0-9.]+)", Scene._went_on),
    (r"app sent nothing at all", Scene._stays),
    (r"CALLER state=.*", Scene._states),
]
