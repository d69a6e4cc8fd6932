"""Where each prompt's sound is: the admin's recording if there is one, else text spoken once and kept.

A recording of prompt `welcome` of flow `support` in `en` is looked for as

    prompts/en/support/welcome.wav      this flow's own
    prompts/en/welcome.wav              shared by all flows

and what callers hear is a copy, `<state>/prompts/recorded/en/support-welcome-<digest>.wav`: a recording that is
replaced under a running service takes effect at the next reload, with its own duration. The spoken text is kept as
`<state>/prompts/en/support-welcome-<fingerprint>.wav`, so a changed text is spoken anew. Old files are left to
calls which still play them.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cordboard.prompts.voice import VoiceUnavailable, fingerprint, speak
from cordboard.prompts.wav import NotPlayable, duration_s
from cordboard.telephony.ports import SoundFile
from cordboard.telephony.verbs import Prompt

VOICES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class PromptState:
    """What a prompt has. fault: why it cannot be played, in words."""

    prompt: Prompt
    source: Literal["recording", "spoken", "missing", "unplayable"]
    path: Path | None = None
    fault: str = ""


class PromptLibrary:
    """Finds sounds by prompt. `prepare` does the slow work; after it, `find` is a dictionary look-up."""

    def __init__(self, recordings: Path, spoken: Path) -> None:
        self._recordings = recordings.absolute()
        self._spoken = spoken.absolute()
        self._found: dict[tuple[str, str, str, str], SoundFile] = {}

    def find(self, prompt: Prompt) -> SoundFile | None:
        """The sound of a prompt, or None. Never touches the disk."""
        return self._found.get(_key(prompt))

    def inspect(self, prompt: Prompt) -> PromptState:
        """Look on the disk for what a prompt has."""
        for candidate in self._recording_places(prompt):
            if _exists(candidate):
                fault = _fault_of(candidate)
                return PromptState(prompt, "unplayable" if fault else "recording", candidate, fault)
        spoken = self.spoken_path(prompt)
        if _exists(spoken) and not _fault_of(spoken):
            return PromptState(prompt, "spoken", spoken)
        return PromptState(prompt, "missing", None, "neither recorded nor spoken yet")

    def spoken_path(self, prompt: Prompt) -> Path:
        """Where the spoken text of a prompt is kept."""
        name = f"{prompt.flow}-{prompt.name}-{fingerprint(prompt.text, prompt.language)}.wav"
        return self._spoken / prompt.language / name

    async def prepare(self, prompts: Iterable[Prompt]) -> list[PromptState]:
        """Make every prompt findable, speaking those that have no recording; returns those that failed."""
        gate = asyncio.Semaphore(VOICES_AT_ONCE)
        unique = {_key(prompt): prompt for prompt in prompts}
        states = await asyncio.gather(*(self._prepare(prompt, gate) for prompt in unique.values()))
        return [state for state in states if state.path is None or state.fault]

    async def _prepare(self, prompt: Prompt, gate: asyncio.Semaphore) -> PromptState:
        state = self.inspect(prompt)
        if state.source == "recording":
            state = await asyncio.to_thread(self._keep_copy, state)
        if state.source in ("missing", "unplayable"):
            async with gate:
                state = await self._speak(prompt, state)
        if state.path is None:
            return state
        try:
            self._found[_key(prompt)] = SoundFile(str(state.path.with_suffix("")), duration_s(state.path))
        except NotPlayable as fault:
            return PromptState(prompt, "unplayable", state.path, str(fault))
        return state

    def _keep_copy(self, state: PromptState) -> PromptState:
        """The same recording as a file that will never change: callers hear the copy."""
        assert state.path is not None
        try:
            sound = state.path.read_bytes()
            copy = self._copy_path(state.prompt, sound)
            if not copy.is_file():
                _write_whole(copy, sound)
        except OSError as fault:
            return PromptState(state.prompt, "unplayable", state.path, f"it cannot be copied ({fault})")
        return PromptState(state.prompt, "recording", copy)

    def _copy_path(self, prompt: Prompt, sound: bytes) -> Path:
        digest = hashlib.sha256(sound).hexdigest()[:16]
        return self._spoken / "recorded" / prompt.language / f"{prompt.flow}-{prompt.name}-{digest}.wav"

    async def _speak(self, prompt: Prompt, before: PromptState) -> PromptState:
        """Speak a prompt; a broken recording stays reported, but callers hear the spoken text meanwhile."""
        try:
            await speak(prompt.text, prompt.language, self.spoken_path(prompt))
        except VoiceUnavailable as fault:
            return PromptState(prompt, "missing", None, before.fault + "; " + str(fault))
        return PromptState(prompt, "spoken", self.spoken_path(prompt), before.fault if before.path else "")

    def _recording_places(self, prompt: Prompt) -> Iterator[Path]:
        root = self._recordings / prompt.language
        yield root / prompt.flow / f"{prompt.name}.wav"
        yield root / f"{prompt.name}.wav"


def _exists(path: Path) -> bool:
    """Whether there is such a file, even one that we may not look at: that is for `_fault_of` to tell."""
    try:
        return path.is_file()
    except OSError:
        return True


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)


def _fault_of(path: Path) -> str:
    try:
        return "" if duration_s(path) > 0 else "it is empty"
    except NotPlayable as fault:
        return str(fault)


def _key(prompt: Prompt) -> tuple[str, str, str, str]:
    return (prompt.language, prompt.flow, prompt.name, prompt.text)
