"""When a call is recorded, and when it must not be: the same on all switches. Called by each edge's own
`call_recording`.

How a switch records is its edge's own affair, behind `Recorder`. How the recording stands is kept on the channel
(`Standing`), because another worker may have begun it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import structlog

from cordboard.edge.recording_files import Standing, is_plain_name, is_plain_path, make_folder
from cordboard.telephony.outcomes import Done, Failed, Outcome
from cordboard.telephony.verbs import RecordCall

_log = structlog.get_logger(__name__)


class Recorder(Protocol):
    """The recording of one call, in its switch's words. Each step gives `Done`, or `Failed` with what is wrong."""

    @property
    def call_id(self) -> str:
        """Whose it is."""

    async def standing(self) -> tuple[Standing, str]:
        """How it stands on the channel, and its path; "" and "" if there is none."""

    async def begin(self, path: str) -> Outcome:
        """Record, once: what a worker began that was lost before it could note it ends first."""

    async def resume(self, path: str) -> Outcome:
        """Go on behind what is in the file."""

    async def pause(self, standing: Standing, path: str) -> Outcome:
        """Record nothing for a while. To be noted first: a worker that is lost in between must not leave it on."""

    async def stop(self, path: str) -> Outcome:
        """End it for good."""


async def perform_recording(recorder: Recorder, verb: RecordCall, folder: Path) -> Outcome:
    """Begin, pause, resume or stop. folder: where the files go."""
    if verb.action == "start":
        return await _start(recorder, verb.file, folder)
    state, path = await recorder.standing()
    if state and verb.action == "pause":
        return await recorder.pause("paused", path)
    if state and verb.action == "stop":
        return await recorder.stop(path)
    if state in ("paused", "secret") and verb.action == "resume":
        return await recorder.resume(path)
    return Done()


async def gather_unrecorded(recorder: Recorder, gather: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """Gather secret digits with the recording paused. A worker that is lost meanwhile leaves it paused."""
    state, path = await recorder.standing()
    if state:
        paused = await recorder.pause("paused" if state == "paused" else "secret", path)
        if isinstance(paused, Failed):
            return paused
    outcome = await gather()
    if state in ("on", "secret"):
        await recorder.resume(path)
    return outcome


async def resume_if_secret(recorder: Recorder) -> None:
    """Go on recording where a worker was lost while it gathered secret digits. Nothing to do otherwise."""
    state, path = await recorder.standing()
    if state == "secret":
        await recorder.resume(path)


async def _start(recorder: Recorder, file: str, folder: Path) -> Outcome:
    path = str(folder / f"{file}.wav")
    if not is_plain_name(file) or not is_plain_path(path):
        return Failed("a recording's path that is not plain")
    if await recorder.standing() == ("on", path):
        return Done()
    if not await asyncio.to_thread(make_folder, folder):
        return Failed("the folder for recordings cannot be made")
    outcome = await recorder.begin(path)
    if isinstance(outcome, Done):
        _log.info("call_recorded", call_id=recorder.call_id, file=f"{file}.wav")
    return outcome
