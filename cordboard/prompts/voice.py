"""Text to speech by any command, espeak-ng unless the settings say otherwise. Runs when flows load, not in calls.

A command gets the text as an argument (`{text}`) or on its standard input, and writes a sound file (`{out}`) that
sox can read. What callers hear is made of that: 8 kHz, and 16 kHz besides if the settings want wideband.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cordboard.prompts.programs import VoiceUnavailable as VoiceUnavailable
from cordboard.prompts.programs import convert, run_program
from cordboard.prompts.shared_files import make_folder
from cordboard.prompts.wav import SAMPLE_RATE_HZ, WIDEBAND_HZ, wideband_path

SPEAK_DEADLINE_S = 20.0
WORDS_PER_MINUTE = 155  # espeak's own 175 is hard to follow over a telephone
# Rumble below the telephone band is taken out, the level brought to -3 dB.
_TO_TELEPHONE = ("highpass", "150", "gain", "-n", "-3")
_PLACEHOLDER = re.compile(r"\{(text|language|out)\}")


@dataclass(frozen=True, slots=True)
class Voice:
    """A program that speaks. command: its arguments, with `{text}`, `{language}` and `{out}` to be filled in."""

    command: tuple[str, ...]
    deadline_s: float = SPEAK_DEADLINE_S

    def arguments(self, text: str, language: str, out: Path) -> list[str]:
        """The command for a text. Each argument stays one, whatever is filled in."""
        values = {"text": text, "language": language, "out": str(out)}
        return [_PLACEHOLDER.sub(lambda found: values[found[1]], argument) for argument in self.command]

    @property
    def reads_stdin(self) -> bool:
        """Whether the text comes on the standard input."""
        return not any("{text}" in argument for argument in self.command)


ESPEAK = Voice(("espeak-ng", "-v", "{language}", "-s", str(WORDS_PER_MINUTE), "-w", "{out}", "--stdin"))


@dataclass(frozen=True, slots=True)
class Voices:
    """Who speaks what. languages: other voices for some of them, "es" for "es-mx" too; wideband: 16 kHz as well."""

    default: Voice = ESPEAK
    languages: Mapping[str, Voice] = field(default_factory=dict)
    wideband: bool = False

    def voice_for(self, language: str) -> Voice:
        """The voice of a language."""
        base = language.partition("-")[0]
        return self.languages.get(language) or self.languages.get(base) or self.default

    def fingerprint(self, text: str, language: str) -> str:
        """Names the sound of a text: the same text, language and command give the same 16 characters."""
        recipe = "\0".join((language, text, *self.voice_for(language).command, *_TO_TELEPHONE))
        return hashlib.sha256(recipe.encode()).hexdigest()[:16]

    async def speak(self, text: str, language: str, target: Path) -> None:
        """Write `text`, spoken in `language`, to `target`. The file appears whole or not at all.

        Raises VoiceUnavailable.
        """
        try:
            await self._speak(text, language, target)
        except OSError as fault:
            raise VoiceUnavailable(f"the spoken text cannot be kept ({fault})") from fault

    async def _speak(self, text: str, language: str, target: Path) -> None:
        voice = self.voice_for(language)
        make_folder(target.parent)
        _check_writable(target.parent)
        raw = target.with_name(f"{target.stem}.{os.getpid()}.raw.wav")
        try:
            spoken = text if voice.reads_stdin else ""
            await run_program(voice.arguments(text, language, raw), voice.deadline_s, spoken)
            if not raw.is_file():
                raise VoiceUnavailable(f"{voice.command[0]} wrote no sound")
            if self.wideband:
                await convert(raw, wideband_path(target), WIDEBAND_HZ, _TO_TELEPHONE)
            await convert(raw, target, SAMPLE_RATE_HZ, _TO_TELEPHONE)
        finally:
            raw.unlink(missing_ok=True)


def _check_writable(folder: Path) -> None:
    """Raises PermissionError: espeak-ng tells nobody that it could not write."""
    if not os.access(folder, os.W_OK, effective_ids=True):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
