"""Text to speech by espeak-ng, brought to telephone format by sox. Runs at load time, never during a call."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from pathlib import Path

from cordboard.errors import CordboardError

SPEAK_DEADLINE_S = 20.0
WORDS_PER_MINUTE = 155  # espeak's own 175 is hard to follow over a telephone
# Rumble below the telephone band is taken out, the level brought to -3 dB, rate to 8 kHz.
_TO_TELEPHONE = ("rate", "8000", "highpass", "150", "gain", "-n", "-3")


class VoiceUnavailable(CordboardError):
    """Text could not be spoken; the message says which program is missing or what it said."""


def fingerprint(text: str, language: str) -> str:
    """Names the sound of a text: the same text, language and voice settings give the same 16 characters."""
    recipe = "\0".join((language, text, str(WORDS_PER_MINUTE), *_TO_TELEPHONE))
    return hashlib.sha256(recipe.encode()).hexdigest()[:16]


async def speak(text: str, language: str, target: Path) -> None:
    """Write `text`, spoken in `language`, to `target`. The file appears whole or not at all.

    Raises VoiceUnavailable.
    """
    for program in ("espeak-ng", "sox"):
        if shutil.which(program) is None:
            raise VoiceUnavailable(f"{program} is not installed: apt-get install espeak-ng sox")
    try:
        await _speak(text, language, target)
    except OSError as fault:
        raise VoiceUnavailable(f"the spoken text cannot be kept ({fault})") from fault


async def _speak(text: str, language: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    raw, part = (target.with_name(f"{target.stem}.{os.getpid()}.{kind}.wav") for kind in ("raw", "part"))
    try:
        await _run("espeak-ng", "-v", language, "-s", str(WORDS_PER_MINUTE), "-w", str(raw), "--stdin", stdin=text)
        await _run("sox", "-D", "-V1", str(raw), "-b", "16", "-c", "1", str(part), *_TO_TELEPHONE)
        part.replace(target)
    finally:
        raw.unlink(missing_ok=True)
        part.unlink(missing_ok=True)


async def _run(*command: str, stdin: str = "") -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        _, complaint = await asyncio.wait_for(process.communicate(stdin.encode()), SPEAK_DEADLINE_S)
    except TimeoutError as late:
        raise VoiceUnavailable(f"{command[0]} took more than {SPEAK_DEADLINE_S:.0f} s") from late
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise VoiceUnavailable(f"{command[0]}: {complaint.decode(errors='replace').strip() or process.returncode}")
