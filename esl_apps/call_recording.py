"""Recording both sides of a call, by FreeSWITCH itself. Called by the phone.

A recording runs on the caller's channel until the call ends, without any worker. While it is paused FreeSWITCH
writes silence (`mask`), whatever happens to a worker. How it stands is kept on the channel (`Standing`): another
worker may have begun it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from cordboard.edge.recording_files import Standing, is_plain_name, is_plain_path, make_folder, standing_of
from cordboard.telephony.outcomes import Done, Failed, Outcome
from cordboard.telephony.verbs import Gather, RecordCall
from esl_apps import commands, variables
from esl_apps.gathering import gather

if TYPE_CHECKING:
    from esl_apps.phone import FreeswitchPhone

_log = structlog.get_logger(__name__)


async def record_call(phone: FreeswitchPhone, verb: RecordCall) -> Outcome:
    """Begin, pause, resume or stop."""
    await phone.outlast(0.0)
    if verb.action == "start":
        return await _start(phone, verb.file)
    state, path = _standing(phone)
    if state and verb.action == "pause":
        return await _pause(phone, "paused", path)
    if state and verb.action == "stop":
        return await _stop(phone, path)
    if state in ("paused", "secret") and verb.action == "resume":
        return await _resume(phone, path)
    return Done()


async def gather_in_secret(phone: FreeswitchPhone, verb: Gather) -> Outcome:
    """Gather secret digits with the recording paused. A worker that is lost meanwhile leaves it paused."""
    state, path = _standing(phone)
    if state:
        stopped = await _pause(phone, "paused" if state == "paused" else "secret", path)
        if isinstance(stopped, Failed):
            return stopped
    outcome = await gather(phone, verb)
    if state in ("on", "secret"):
        await _resume(phone, path)
    return outcome


async def resume_after_secret(phone: FreeswitchPhone) -> None:
    """Go on recording where a worker was lost while it gathered secret digits. Nothing to do otherwise."""
    state, path = _standing(phone)
    if state == "secret":
        await _resume(phone, path)


def _standing(phone: FreeswitchPhone) -> tuple[Standing, str]:
    return standing_of(phone.variable(variables.RECORDING))


async def _start(phone: FreeswitchPhone, file: str) -> Outcome:
    path = str(phone.settings.calls_root / f"{file}.wav")
    if not is_plain_name(file) or not is_plain_path(path):
        return Failed("a recording's path that is not plain")
    if _standing(phone) == ("on", path):
        return Done()
    if not await asyncio.to_thread(make_folder, phone.settings.calls_root):
        return Failed("the folder for recordings cannot be made")
    outcome = await _begin(phone, path)
    if isinstance(outcome, Done):
        _log.info("call_recorded", call_id=phone.arrival.call.call_id, file=f"{file}.wav")
    return outcome


async def _begin(phone: FreeswitchPhone, path: str) -> Outcome:
    """Record, once: what a worker began that was lost before it could note it ends first."""
    await phone.note({variables.APPEND: "true"})
    await _order(phone, "stop", path)
    if not (await _order(phone, "start", path)).startswith("+OK"):
        return Failed("FreeSWITCH could not record the call (may it write into the folder?)")
    await phone.note({variables.RECORDING: f"on:{path}"})
    return Done()


async def _resume(phone: FreeswitchPhone, path: str) -> Outcome:
    await _order(phone, "unmask", path)
    await phone.note({variables.RECORDING: f"on:{path}"})
    return Done()


async def _pause(phone: FreeswitchPhone, standing: Standing, path: str) -> Outcome:
    """Noted first: if a worker is lost in between, what follows knows that there is something to end."""
    await phone.note({variables.RECORDING: f"{standing}:{path}"})
    said = await _order(phone, "mask", path)
    return Done() if said.startswith("+OK") else Failed("FreeSWITCH could not pause the recording of the call")


async def _stop(phone: FreeswitchPhone, path: str) -> Outcome:
    await phone.note({variables.RECORDING: ""})
    await _order(phone, "stop", path)
    return Done()


async def _order(phone: FreeswitchPhone, word: str, path: str) -> str:
    return await phone.api(commands.api_words("uuid_record", phone.leg_id, word, path))
