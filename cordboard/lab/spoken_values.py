"""The sounds of FreeSWITCH's `say` for the lab: spoken once on a machine, and linked into each lab's own folder.

The lab's calls are narrowband, so there is one rate. The voice is another one than that of our prompts, so that who
listens can tell a number that the switch speaks from one of ours. Used by `freeswitch`.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from cordboard.lab.packages import ensure_packages
from cordboard.lab.voice_cache import cache_folder
from cordboard.prompts.freeswitch_values import say_languages, speak_values
from cordboard.prompts.voice import Voice, Voices

RATE_HZ = 8_000
VOICE_PACKAGES = ("espeak-ng", "sox")
SWITCH_VOICE = Voice(("espeak-ng", "-v", "{language}+f3", "-s", "155", "-w", "{out}", "--stdin"))
_FOLDER = "freeswitch-say-f3"


async def lay_out(sounds: Path, languages: Sequence[str]) -> None:
    """Put them below `sounds`, a folder for each language. Raises VoiceUnavailable, LabError."""
    kept = cache_folder() / _FOLDER
    spoken = say_languages(languages)
    await asyncio.to_thread(ensure_packages, VOICE_PACKAGES)
    for language in spoken:
        if not (kept / f"{language}.done").exists():
            await _speak(kept, language)
    await asyncio.to_thread(_link, kept, sounds, spoken)


async def _speak(kept: Path, language: str) -> None:
    lock = await asyncio.to_thread(_locked, kept / "lock")
    try:
        await speak_values(kept, language, Voices(SWITCH_VOICE), (RATE_HZ,))
        (kept / f"{language}.done").touch()
    finally:
        os.close(lock)


def _locked(file: Path) -> int:
    """Several labs may start at once; one speaks. Closing the descriptor lets go."""
    file.parent.mkdir(exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _link(kept: Path, sounds: Path, languages: Sequence[str]) -> None:
    for source in (path for language in languages for path in (kept / language).rglob("*.wav")):
        place = sounds / source.relative_to(kept)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            _link_or_copy(source, place)


def _link_or_copy(source: Path, place: Path) -> None:
    """A copy where the two are not on one disk."""
    try:
        os.link(source, place)
    except OSError:
        shutil.copyfile(source, place)
