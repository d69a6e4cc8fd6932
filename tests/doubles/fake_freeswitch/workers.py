"""The dialplan's loop, as `esl_apps/dialplan` has it: a worker, then what one has asked for, then the next worker.

It stands in for our dialplan where a measurement is about workers; tests run the real one (`xml_dialplan`). Phones
have one more part here: "declines" picks up, and presses nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING

from tests.doubles.fake_freeswitch import life, sockets
from tests.doubles.fake_freeswitch.channel import Channel, Gone

if TYPE_CHECKING:
    from tests.doubles.fake_freeswitch.switch import FakeFreeswitch

PATIENCE_S = 1.0
SOCKET = [("Application", "socket"), ("Application-Data", "127.0.0.1 async full"), ("Application-UUID", "socket")]

_DEVICES = re.compile(r"\[[^\]]*\]([^,|]+)([,|]?)")
_CAUSES = {
    "busy": "USER_BUSY",
    "rejects": "CALL_REJECTED",
    "rings": "ALLOTTED_TIMEOUT",
    "declines": "ALLOTTED_TIMEOUT",
    "absent": "USER_NOT_REGISTERED",
}


class WorkersLoop:
    """workers: ports that are dialled in turn."""

    def __init__(self, switch: FakeFreeswitch, workers: list[int], phones: Mapping[str, str]) -> None:
        self._switch = switch
        self._workers = workers
        self._phones = phones
        self._turns = count()

    async def live(self, channel: Channel) -> None:
        """A caller's whole call."""
        try:
            await self._loop(channel)
        except Gone:
            self._switch.move_not(channel.leg_id)
            await life.end(self._switch, channel)

    async def _loop(self, channel: Channel) -> None:
        values = channel.variables
        missed_since = time.monotonic()
        while True:
            values["cordboard_held"] = "true"
            if await self._worker(channel):
                missed_since = time.monotonic()
            self._switch.move_not(channel.leg_id)
            values["cordboard_held"] = ""
            if values.get("cordboard_done") or time.monotonic() - missed_since > PATIENCE_S:
                await self._stand(channel, self._last_place(channel))
            following, values["cordboard_next"] = values.get("cordboard_next"), ""
            if following == "dial":
                await self._dial(channel)
            elif following == "voicemail":
                await self._stand(channel, "voicemail")
            await channel.frame()

    async def _worker(self, channel: Channel) -> bool:
        """Whether one had it. The dead-man timer takes it away from one that does nothing."""
        port = self._workers[next(self._turns) % len(self._workers)]
        connection = await self._switch.connect(channel, f"127.0.0.1:{port}")
        if connection is None:
            return False
        try:
            await sockets.control(channel, connection, self._switch.speak_s)
        except Gone:
            if channel.interruption != "moved":
                raise
            channel.interruption, channel.moved = "", ""
        finally:
            said = channel.variables.get("current_application_response") or "_none_"
            channel.tell("CHANNEL_EXECUTE_COMPLETE", [*SOCKET, ("Application-Response", said)])
        return True

    @staticmethod
    def _last_place(channel: Channel) -> str:
        if channel.variables.get("cordboard_done") == "away":
            return channel.variables.get("cordboard_to") or channel.variables["cordboard_dial"]
        return "safe"

    @staticmethod
    async def _stand(channel: Channel, place: str) -> None:
        """Somewhere no worker has part in, until the caller leaves."""
        channel.place = place
        while True:
            await channel.frame()

    async def _dial(self, channel: Channel) -> None:
        channel.place = "dial"
        found = _DEVICES.findall(channel.variables["cordboard_dial"].partition("}")[2])
        acts = [self._phones.get(device, "absent") for device, _ in found]
        talk = next((act for act in acts if act.startswith("answers")), "")
        values = channel.variables
        values["cordboard_picked_up"] = "1" if talk or "declines" in acts else ""
        causes = [_CAUSES[act] for act in acts if act in _CAUSES]
        values["originate_causes"] = "|:".join(f"{number};{cause}" for number, cause in enumerate(causes))
        values["originate_disposition"] = "SUCCESS" if talk else causes[-1]
        until = time.monotonic() + (float(talk.split()[1]) if talk else 0.1)
        values["cordboard_joined"] = str(time.time_ns() // 1000) if talk else ""
        while time.monotonic() < until:
            await channel.frame()
        values |= {"cordboard_left": str(time.time_ns() // 1000), "cordboard_returned": "dial"}
        channel.place = ""
