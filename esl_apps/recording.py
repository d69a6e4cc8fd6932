"""Recording the caller. Called by the phone.

FreeSWITCH writes 8 kHz 16-bit WAV on its own disk, at a path below the recordings' root that both sides see. If it
may not write there it hangs up on the caller (seen on FreeSWITCH 1.11), so the folder has to be its own as well.

While it records, the end of our connection ends nothing: a caller who speaks is not cut short because a worker is
lost. The next worker has the call, and the message, when they have spoken.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cordboard.edge.recording_files import duration_s, is_plain_name, make_folder
from cordboard.telephony.outcomes import Failed, Outcome, Recorded
from cordboard.telephony.verbs import Record
from esl_apps import variables
from esl_apps.session import CallerGone

if TYPE_CHECKING:
    from esl_apps.phone import FreeswitchPhone

BEEP = "tone_stream://%(200,0,1000)"
BEEP_S = 1.0
THRESHOLD = 200  # mean level of a frame, of 32,767, below which it is silence: FreeSWITCH's usual one
NOTHING_S = 0.2  # what is left when the silence at the end is taken off, where nothing was said
CLOSING_S = 2.0  # after a hang-up FreeSWITCH closes the file within milliseconds


async def record(phone: FreeswitchPhone, verb: Record) -> Outcome:
    """Record until silence, the end key, the time limit or the hang-up."""
    if not (is_plain_name(verb.folder) and is_plain_name(verb.file)):
        return Failed("a recording's folder or file name that is not plain")
    wav = phone.settings.recordings_root / verb.folder / f"{verb.file}.wav"
    if not await asyncio.to_thread(make_folder, wav.parent):
        return Failed("the folder for recordings cannot be made")
    await phone.outlast(verb.max_s + BEEP_S)
    await phone.prepare(keys="none")
    if verb.beep:
        await phone.execute("playback", BEEP, BEEP_S)
    phone.keys.forget()
    await phone.prepare(keys=verb.end_key or "none")
    resume = phone.variable(variables.RESUME)
    await phone.note({variables.RESUME: "false"})
    recorded = await _record(phone, verb, wav)
    if not recorded.hung_up:
        await phone.note({variables.RESUME: resume})
    return recorded


async def _record(phone: FreeswitchPhone, verb: Record, wav: Path) -> Recorded:
    silence_s = max(1, math.ceil(verb.silence_s))
    closed = phone.await_event("RECORD_STOP")
    limit_s = math.ceil(verb.max_s) + 1  # FreeSWITCH's own limit is good to a second; ours ends it in time
    execution = phone.begin("record", f"{wav} {limit_s} {THRESHOLD} {silence_s}", verb.max_s + BEEP_S)
    try:
        await asyncio.wait({execution.done}, timeout=verb.max_s)
        ended = await (execution.done if execution.done.done() else phone.stop(execution))
    except CallerGone:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                await closed
        return Recorded(str(wav), await asyncio.to_thread(duration_s, wav), hung_up=True)
    finally:
        closed.cancel()
        phone.keys.forget()
    return Recorded(str(wav), _heard_s(ended.event.variable, silence_s))


def _heard_s(variable: Callable[[str], str], silence_s: float) -> float:
    """How long the caller spoke: of the silence that ended the recording nothing counts; the file has all of it."""
    recorded_ms = variable("record_ms")
    recorded_s = int(recorded_ms) / 1000 if recorded_ms.isdecimal() and recorded_ms.isascii() else 0.0
    if variable("silence_hits_exhausted") == "true":
        recorded_s -= silence_s
    return recorded_s if recorded_s >= NOTHING_S else 0.0
