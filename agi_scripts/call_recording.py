"""Recording both sides of a call, by Asterisk itself. Called by the phone; when, is in `edge.call_recording`.

MixMonitor runs on the caller's channel until the call ends, without any worker. To pause it is to stop it; to
resume, to begin again behind what is in the file. So whatever happens to a worker, a recording that is paused
records nothing. How it stands is kept on the channel (`Standing`), which is asked each time: another worker may
have begun it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agi_scripts import commands, variables
from agi_scripts.gathering import gather
from cordboard.edge.call_recording import gather_unrecorded, perform_recording, resume_if_secret
from cordboard.edge.recording_files import Standing, standing_of
from cordboard.telephony.outcomes import Done, Outcome
from cordboard.telephony.verbs import Gather, RecordCall

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone


async def record_call(phone: AsteriskPhone, verb: RecordCall) -> Outcome:
    """Begin, pause, resume or stop."""
    return await perform_recording(_MixMonitor(phone), verb, phone.settings.calls_root)


async def gather_in_secret(phone: AsteriskPhone, verb: Gather) -> Outcome:
    """Gather secret digits with the recording paused."""
    return await gather_unrecorded(_MixMonitor(phone), lambda: gather(phone, verb))


async def resume_after_secret(phone: AsteriskPhone) -> None:
    """Go on recording where a worker was lost while it gathered secret digits."""
    await resume_if_secret(_MixMonitor(phone))


class _MixMonitor:
    """`Recorder` on one channel."""

    def __init__(self, phone: AsteriskPhone) -> None:
        self._phone = phone

    @property
    def call_id(self) -> str:
        return self._phone.arrival.call.call_id

    async def standing(self) -> tuple[Standing, str]:
        reply = await self._phone.command(commands.get_variable(variables.RECORDING))
        return standing_of(reply.rest.removeprefix("(").removesuffix(")"))

    async def begin(self, path: str) -> Outcome:
        await self._phone.command(commands.stop_mix_monitor())
        reply = await self._phone.command(commands.mix_monitor(path))
        if reply.number != 0:
            return await self._phone.failed("Asterisk could not record the call (is app_mixmonitor loaded?)")
        await self._phone.note({variables.RECORDING: f"on:{path}"})
        return Done()

    async def resume(self, path: str) -> Outcome:
        return await self.begin(path)

    async def pause(self, standing: Standing, path: str) -> Outcome:
        return await self._end(f"{standing}:{path}")

    async def stop(self, path: str) -> Outcome:
        return await self._end("")

    async def _end(self, noted: str) -> Outcome:
        """Noted first: if a worker is lost in between, what follows knows that there is something to end."""
        await self._phone.note({variables.RECORDING: noted})
        reply = await self._phone.command(commands.stop_mix_monitor())
        if reply.number != 0:
            return await self._phone.failed("Asterisk could not end the recording of the call")
        return Done()
