"""Recording both sides of a call, by Asterisk itself. Called by the phone.

MixMonitor runs on the caller's channel until the call ends, without any worker. To pause it is to stop it; to
resume, to begin again behind what is in the file. So whatever happens to a worker, a recording that is paused
records nothing. How it stands is kept on the channel (`Standing`), which is asked each time: another worker may
have begun it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agi_scripts import commands, variables
from agi_scripts.gathering import gather
from cordboard.edge.recording_files import Standing, is_plain_name, is_plain_path, make_folder, standing_of
from cordboard.telephony.outcomes import Done, Failed, Outcome
from cordboard.telephony.verbs import Gather, RecordCall

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone

_log = structlog.get_logger(__name__)


async def record_call(phone: AsteriskPhone, verb: RecordCall) -> Outcome:
    """Begin, pause, resume or stop."""
    if verb.action == "start":
        return await _start(phone, verb.file)
    state, path = await _standing(phone)
    if state and verb.action == "pause":
        return await _stop(phone, f"paused:{path}")
    if state and verb.action == "stop":
        return await _stop(phone, "")
    if state in ("paused", "secret") and verb.action == "resume":
        return await _record(phone, path)
    return Done()


async def gather_in_secret(phone: AsteriskPhone, verb: Gather) -> Outcome:
    """Gather secret digits with the recording paused. A worker that is lost meanwhile leaves it paused."""
    state, path = await _standing(phone)
    if state:
        stopped = await _stop(phone, f"{'paused' if state == 'paused' else 'secret'}:{path}")
        if isinstance(stopped, Failed):
            return stopped
    outcome = await gather(phone, verb)
    if state in ("on", "secret"):
        await _record(phone, path)
    return outcome


async def resume_after_secret(phone: AsteriskPhone) -> None:
    """Go on recording where a worker was lost while it gathered secret digits. Nothing to do otherwise."""
    state, path = await _standing(phone)
    if state == "secret":
        await _record(phone, path)


async def _standing(phone: AsteriskPhone) -> tuple[Standing, str]:
    """How the channel's recording stands, and its path; "" and "" if there is none."""
    reply = await phone.command(commands.get_variable(variables.RECORDING))
    return standing_of(reply.rest.removeprefix("(").removesuffix(")"))


async def _start(phone: AsteriskPhone, file: str) -> Outcome:
    path = str(phone.settings.calls_root / f"{file}.wav")
    if not is_plain_name(file) or not is_plain_path(path):
        return Failed("a recording's path that is not plain")
    if await _standing(phone) == ("on", path):
        return Done()
    if not await asyncio.to_thread(make_folder, phone.settings.calls_root):
        return Failed("the folder for recordings cannot be made")
    outcome = await _record(phone, path)
    if isinstance(outcome, Done):
        _log.info("call_recorded", call_id=phone.arrival.call.call_id, file=f"{file}.wav")
    return outcome


async def _record(phone: AsteriskPhone, path: str) -> Outcome:
    """Record, once: what a worker began that was lost before it could note it ends first."""
    await phone.command(commands.stop_mix_monitor())
    reply = await phone.command(commands.mix_monitor(path))
    if reply.number != 0:
        return await phone.failed("Asterisk could not record the call (is app_mixmonitor loaded?)")
    await phone.note({variables.RECORDING: f"on:{path}"})
    return Done()


async def _stop(phone: AsteriskPhone, standing: str) -> Outcome:
    """Noted first: if a worker is lost in between, what follows knows that there is something to end."""
    await phone.note({variables.RECORDING: standing})
    reply = await phone.command(commands.stop_mix_monitor())
    return Done() if reply.number == 0 else await phone.failed("Asterisk could not end the recording of the call")
