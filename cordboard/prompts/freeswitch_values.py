"""Makes the sounds of FreeSWITCH's `say` with a voice of ours, where its own sounds are not installed.

They lie as FreeSWITCH looks for them: `<root>/en/digits/8000/20.wav`, and with `<root>/en` as the `sound-prefix` of
the language. Made by `prompts build --for freeswitch --values`, and by the lab. What is there already stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from cordboard.prompts.freeswitch import RATES_HZ
from cordboard.prompts.freeswitch_words import LANGUAGES, sound_texts
from cordboard.prompts.library import VOICES_AT_ONCE
from cordboard.prompts.programs import convert
from cordboard.prompts.voice import Voices


def say_languages(tags: Iterable[str]) -> list[str]:
    """Those of some language tags that there are words for, without their regions."""
    bases = dict.fromkeys(tag.partition("-")[0] for tag in tags)
    return [base for base in bases if base in LANGUAGES]


async def speak_values(root: Path, language: str, voices: Voices, rates_hz: Sequence[int] = RATES_HZ) -> int:
    """Write what is not there yet; how many files were written. Raises VoiceUnavailable, OSError, KeyError."""
    gate = asyncio.Semaphore(VOICES_AT_ONCE)

    async def speak(name: str, text: str) -> int:
        async with gate:
            return await _speak(root / language / name, text, language, voices, rates_hz)

    written = await asyncio.gather(*(speak(name, text) for name, text in sound_texts(language).items()))
    return sum(written)


async def _speak(place: Path, text: str, language: str, voices: Voices, rates_hz: Sequence[int]) -> int:
    """One sound, in every rate. place: its path without the rate and the suffix."""
    targets = {rate: place.parent / str(rate) / f"{place.name}.wav" for rate in rates_hz}
    missing = {rate: target for rate, target in targets.items() if not target.is_file()}
    if not missing:
        return 0
    spoken = place.with_name(f".{place.name}.spoken.wav")
    try:
        await voices.speak(text, language, spoken)
        for rate, target in missing.items():
            await convert(spoken, target, rate)
    finally:
        spoken.unlink(missing_ok=True)
    return len(missing)
