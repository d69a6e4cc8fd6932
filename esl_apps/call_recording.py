"""Recording both sides of a call, by FreeSWITCH itself. Called by the phone; when, is in `edge.call_recording`.

A recording runs on the caller's channel until the call ends, without any worker. While it is paused FreeSWITCH
writes silence (`mask`), whatever happens to a worker. How it stands is kept on the channel (`Standing`): another
worker may have begun it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cordboard.edge.call_recording import gather_unrecorded, perform_recording, resume_if_secret
from cordboard.edge.recording_files import Standing, standing_of
from cordboard.telephony.outcomes import Done, Failed, Outcome
from cordboard.telephony.verbs import Gather, RecordCall
from esl_apps import commands, variables
from esl_apps.gathering import gather

if TYPE_CHECKING:
    from esl_apps.phone import FreeswitchPhone


async def record_call(phone: FreeswitchPhone, verb: RecordCall) -> Outcome:
    """Begin, pause, resume or stop."""
    await phone.outlast(0.0)
    return await perform_recording(_UuidRecord(phone), verb, phone.settings.calls_root)


async def gather_in_secret(phone: FreeswitchPhone, verb: Gather) -> Outcome:
    """Gather secret digits with the recording paused."""
    return await gather_unrecorded(_UuidRecord(phone), lambda: gather(phone, verb))


async def resume_after_secret(phone: FreeswitchPhone) -> None:
    """Go on recording where a worker was lost while it gathered secret digits."""
    await resume_if_secret(_UuidRecord(phone))


class _UuidRecord:
    """`Recorder` on one channel."""

    def __init__(self, phone: FreeswitchPhone) -> None:
        self._phone = phone

    @property
    def call_id(self) -> str:
        return self._phone.arrival.call.call_id

    async def standing(self) -> tuple[Standing, str]:
        return standing_of(self._phone.variable(variables.RECORDING))

    async def begin(self, path: str) -> Outcome:
        await self._phone.note({variables.APPEND: "true"})
        await self._order("stop", path)
        if not (await self._order("start", path)).startswith("+OK"):
            return Failed("FreeSWITCH could not record the call (may it write into the folder?)")
        await self._note(f"on:{path}")
        return Done()

    async def resume(self, path: str) -> Outcome:
        await self._order("unmask", path)
        await self._note(f"on:{path}")
        return Done()

    async def pause(self, standing: Standing, path: str) -> Outcome:
        await self._note(f"{standing}:{path}")
        if not (await self._order("mask", path)).startswith("+OK"):
            return Failed("FreeSWITCH could not pause the recording of the call")
        return Done()

    async def stop(self, path: str) -> Outcome:
        await self._note("")
        await self._order("stop", path)
        return Done()

    async def _note(self, standing: str) -> None:
        await self._phone.note({variables.RECORDING: standing})

    async def _order(self, word: str, path: str) -> str:
        return await self._phone.api(commands.api_words("uuid_record", self._phone.leg_id, word, path))
