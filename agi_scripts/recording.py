"""Recording the caller. Called by the phone.

Asterisk writes 8 kHz 16-bit WAV on its own disk, at a path below the recordings' root that both sides see.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from agi_scripts import commands
from agi_scripts.link import CallerGone
from cordboard.edge.recording_files import duration_s as duration_of
from cordboard.edge.recording_files import is_plain_name, make_folder
from cordboard.prompts.wav import SAMPLE_RATE_HZ
from cordboard.telephony.outcomes import Failed, Outcome, Recorded
from cordboard.telephony.verbs import Record

if TYPE_CHECKING:
    from agi_scripts.phone import AsteriskPhone

BEEP_S = 1.0
NOTHING_S = (
    1.2  # Asterisk leaves a second of the silence that ends a recording: 1.02 s where nothing else was heard
)

_HUNG_UP = "(hangup)"  # stands beside result -1 and the position
_SILENCE = "(timeout)"  # or the time was over


async def record(phone: AsteriskPhone, verb: Record) -> Outcome:
    """Record until silence, the end key, the time limit or the hang-up."""
    if not (is_plain_name(verb.folder) and is_plain_name(verb.file)):
        return Failed("a recording's folder or file name that is not plain")
    path = phone.settings.recordings_root / verb.folder / verb.file
    if not await asyncio.to_thread(make_folder, path.parent):
        return Failed("the folder for recordings cannot be made")
    silence_s = max(1, math.ceil(verb.silence_s))
    line = commands.record_file(str(path), verb.end_key, round(verb.max_s * 1000), silence_s, verb.beep)
    wav = path.with_name(f"{path.name}.wav")
    try:
        reply = await phone.command(line, verb.max_s + BEEP_S)
    except CallerGone:
        return Recorded(str(wav), await asyncio.to_thread(duration_of, wav), hung_up=True)
    hung_up = _HUNG_UP in reply.rest
    if reply.number < 0 and not hung_up:
        return await phone.failed("Asterisk could not record")
    duration_s = reply.end_position / SAMPLE_RATE_HZ
    if _SILENCE in reply.rest and duration_s < NOTHING_S:
        duration_s = 0.0  # the file stays: who speaks too low for Asterisk has said something all the same
    return Recorded(str(wav), duration_s, hung_up)
