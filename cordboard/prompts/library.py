"""Where each prompt's sound is: the admin's recording if there is one, else text spoken once and kept.

A recording of prompt `welcome` of flow `support` in `en` is looked for as

    prompts/en/support/welcome.wav      this flow's own
    prompts/en/welcome.wav              shared by all flows

A WAV of any rate will do. What callers hear is a copy, `<state>/prompts/recorded/en/support-welcome-<digest>.wav`,
with a `.wav16` beside it if the recording is wideband: a recording that is replaced under a running service takes
effect at the next reload, with its own duration. The spoken text is kept as
`<state>/prompts/en/support-welcome-<fingerprint>.wav`, so a changed text or voice is spoken anew. Old files are
left to calls which still play them.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cordboard.prompts.programs import SOX, VoiceUnavailable, convert
from cordboard.prompts.shared_files import give, make_folder
from cordboard.prompts.voice import Voices
from cordboard.prompts.wav import SAMPLE_RATE_HZ, WIDEBAND_HZ, NotPlayable, duration_s, wav_shape, wideband_path
from cordboard.telephony.ports import SoundFile
from cordboard.telephony.verbs import Prompt

VOICES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class PromptState:
    """What a prompt has. path: None if callers hear nothing; fault: why not, or why not the recording.

    is_new: the file was made just now.
    """

    prompt: Prompt
    source: Literal["recording", "spoken", "missing", "unplayable"]
    path: Path | None = None
    fault: str = ""
    is_new: bool = False


class PromptLibrary:
    """Finds sounds by prompt. `prepare` does the slow work; after it, `find` is a dictionary look-up."""

    def __init__(self, recordings: Path, spoken: Path, voices: Voices | None = None) -> None:
        self._recordings = recordings.absolute()
        self._spoken = spoken.absolute()
        self._voices = voices or Voices()
        self._found: dict[tuple[str, str, str, str], SoundFile] = {}

    @property
    def voices(self) -> Voices:
        """Who speaks what has no recording."""
        return self._voices

    def find(self, prompt: Prompt) -> SoundFile | None:
        """The sound of a prompt, or None. Never touches the disk."""
        return self._found.get(_key(prompt))

    def inspect(self, prompt: Prompt) -> PromptState:
        """Look on the disk for what a prompt has. path: of the recording itself, not of the copy."""
        for candidate in self._recording_places(prompt):
            if _exists(candidate):
                fault = _fault_of(candidate)
                return PromptState(prompt, "unplayable" if fault else "recording", candidate, fault)
        spoken = self.spoken_path(prompt)
        if self._is_complete(spoken):
            return PromptState(prompt, "spoken", spoken)
        return PromptState(prompt, "missing", None, "neither recorded nor spoken yet")

    def programs(self, languages: Iterable[str]) -> list[str]:
        """What must be installed for texts of these languages to be spoken."""
        voices = [self._voices.voice_for(language).command[0] for language in languages]
        return list(dict.fromkeys([*voices, SOX]))

    def spoken_path(self, prompt: Prompt) -> Path:
        """Where the spoken text of a prompt is kept."""
        fingerprint = self._voices.fingerprint(prompt.text, prompt.language)
        return self._spoken / prompt.language / f"{prompt.flow}-{prompt.name}-{fingerprint}.wav"

    def recall(self, prompts: Iterable[Prompt]) -> None:
        """Make findable what the disk has of prompts, at once and without making anything: those of a flow that was
        live once, and prepared then.
        """
        for prompt in prompts:
            path = None if _key(prompt) in self._found else self._kept_file(prompt)
            if path is not None:
                with contextlib.suppress(NotPlayable):
                    self._found[_key(prompt)] = _sound_file(path)

    async def prepare(self, prompts: Iterable[Prompt]) -> list[PromptState]:
        """Make every prompt findable, speaking those that have no recording; returns those that failed."""
        return [state for state in await self.build(prompts) if state.path is None or state.fault]

    async def build(self, prompts: Iterable[Prompt]) -> list[PromptState]:
        """The same; returns what each prompt has now. Nothing is made anew that is there."""
        gate = asyncio.Semaphore(VOICES_AT_ONCE)
        unique = {_key(prompt): prompt for prompt in prompts}
        return await asyncio.gather(*(self._build(prompt, gate) for prompt in unique.values()))

    async def _build(self, prompt: Prompt, gate: asyncio.Semaphore) -> PromptState:
        state = self.inspect(prompt)
        if state.source == "recording":
            state = await self._keep_copy(state, gate)
        if state.source in ("missing", "unplayable"):
            async with gate:
                state = await self._speak(prompt, state)
        if state.path is None:
            return state
        try:
            self._found[_key(prompt)] = _sound_file(state.path)
        except NotPlayable as fault:
            return PromptState(prompt, "unplayable", state.path, str(fault))
        return state

    async def _keep_copy(self, state: PromptState, gate: asyncio.Semaphore) -> PromptState:
        """The same recording as a file that will never change: callers hear the copy."""
        assert state.path is not None
        try:
            sound = await asyncio.to_thread(state.path.read_bytes)
            copy = self._copy_path(state.prompt, sound)
            if copy.is_file():
                return replace(state, path=copy)
            async with gate:
                await _convert_recording(state.path, sound, copy)
        except (OSError, VoiceUnavailable, NotPlayable) as fault:
            return PromptState(state.prompt, "unplayable", state.path, f"it cannot be copied ({fault})")
        return replace(state, path=copy, is_new=True)

    def _kept_file(self, prompt: Prompt) -> Path | None:
        """What was made for a prompt before: the copy of its recording, or its spoken text."""
        for recording in filter(_exists, self._recording_places(prompt)):
            with contextlib.suppress(OSError):
                copy = self._copy_path(prompt, recording.read_bytes())
                if copy.is_file():
                    return copy
        spoken = self.spoken_path(prompt)
        return spoken if _exists(spoken) else self._last_copy(prompt)

    def _last_copy(self, prompt: Prompt) -> Path | None:
        """What callers heard last of a recording that is not there any more."""
        digest = "[0-9a-f]" * 16
        copies = (self._spoken / "recorded" / prompt.language).glob(f"{prompt.flow}-{prompt.name}-{digest}.wav")
        return max(copies, key=lambda path: path.stat().st_mtime_ns, default=None)

    def _copy_path(self, prompt: Prompt, sound: bytes) -> Path:
        digest = hashlib.sha256(sound).hexdigest()[:16]
        return self._spoken / "recorded" / prompt.language / f"{prompt.flow}-{prompt.name}-{digest}.wav"

    async def _speak(self, prompt: Prompt, before: PromptState) -> PromptState:
        """Speak a prompt; a broken recording stays reported, but callers hear the spoken text meanwhile."""
        path = self.spoken_path(prompt)
        told = before.fault if before.path else ""
        if self._is_complete(path):
            return PromptState(prompt, "spoken", path, told)
        try:
            await self._voices.speak(prompt.text, prompt.language, path)
        except VoiceUnavailable as fault:
            return PromptState(prompt, "missing", None, before.fault + "; " + str(fault))
        return PromptState(prompt, "spoken", path, told, is_new=True)

    def _is_complete(self, spoken: Path) -> bool:
        """Whether a text has been spoken at every rate that is wanted."""
        if not _exists(spoken) or (self._voices.wideband and not _exists(wideband_path(spoken))):
            return False
        try:
            return duration_s(spoken) > 0
        except NotPlayable:
            return False

    def _recording_places(self, prompt: Prompt) -> Iterator[Path]:
        root = self._recordings / prompt.language
        yield root / prompt.flow / f"{prompt.name}.wav"
        yield root / f"{prompt.name}.wav"


async def _convert_recording(source: Path, sound: bytes, copy: Path) -> None:
    """Make the files that callers hear. Raises VoiceUnavailable, NotPlayable, OSError."""
    shape = wav_shape(source)
    if shape.rate_hz >= WIDEBAND_HZ:
        await convert(source, wideband_path(copy), WIDEBAND_HZ)
    if shape.is_telephone:
        await asyncio.to_thread(_write_whole, copy, sound)
    else:
        await convert(source, copy, SAMPLE_RATE_HZ)


def _sound_file(path: Path) -> SoundFile:
    """A file as switches are told of it. Raises NotPlayable."""
    return SoundFile(str(path.with_suffix("")), duration_s(path))


def _exists(path: Path) -> bool:
    """Whether there is such a file, even one that we may not look at: that is for `_fault_of` to tell."""
    try:
        return path.is_file()
    except OSError:
        return True


def _write_whole(path: Path, content: bytes) -> None:
    make_folder(path.parent)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(content)
    give(part)
    part.replace(path)


def _fault_of(recording: Path) -> str:
    try:
        shape = wav_shape(recording)
        is_empty = duration_s(recording) == 0 if shape.is_telephone else shape.frames == 0
    except NotPlayable as fault:
        return str(fault)
    return "it is empty" if is_empty else ""


def _key(prompt: Prompt) -> tuple[str, str, str, str]:
    return (prompt.language, prompt.flow, prompt.name, prompt.text)
