"""The prompts a caller may hear: samples and words by name, "en/support/welcome". `hearing` compares with them."""

from __future__ import annotations

import difflib
import subprocess
import tempfile
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from cordboard.errors import LabError
from cordboard.lab.rtp import SAMPLE_RATE_HZ, Samples

_CONVERT_DEADLINE_S = 20.0


class PromptBook:
    """Prompts by key, `language/flow/name` (any depth). Iterates over its keys, and never changes."""

    def __init__(self, prompts: Mapping[str, Samples], texts: Mapping[str, str] | None = None) -> None:
        """texts: what the prompts say, for the time line; may lack any."""
        self._prompts = dict(prompts)
        self._texts = dict(texts or {})

    @classmethod
    def from_files(cls, files: Mapping[str, Path], texts: Mapping[str, str] | None = None) -> PromptBook:
        """A book of sound files. Raises LabError for one that cannot be read."""
        return cls({key: read_sound(path) for key, path in files.items()}, texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._prompts)

    def __len__(self) -> int:
        return len(self._prompts)

    def __getitem__(self, key: str) -> Samples:
        return self._prompts[key]

    def text(self, key: str) -> str:
        """What a prompt says; "" if nobody told."""
        return self._texts.get(key, "")

    def resolve(self, name: str, language: str = "", flow: str = "") -> str:
        """The key of a prompt named in short: `welcome`, `support/welcome`, `en/welcome` or all of it.

        language, flow: decide where the name alone fits several prompts. Raises LabError if it fits none, or
        several all the same.
        """
        choice = [key for key in self._prompts if _fits(name.split("/"), key.split("/"))]
        choice = [key for key in choice if key.startswith(f"{language}/")] or choice
        choice = [key for key in choice if f"/{flow}/" in key] or choice
        if len(choice) == 1:
            return choice[0]
        if not choice:
            raise LabError(f"there is no prompt `{name}`{self._did_you_mean(name)}")
        raise LabError(f"`{name}` fits several prompts: {', '.join(sorted(choice))}; write more of its name")

    def _did_you_mean(self, name: str) -> str:
        names = sorted({key.rsplit("/", 1)[-1] for key in self._prompts} | set(self._prompts))
        close = difflib.get_close_matches(name, names, n=1)
        return f"; did you mean `{close[0]}`?" if close else f"; known are {', '.join(names[:12]) or 'none'}"


def read_sound(path: Path) -> Samples:
    """A sound file as samples at 8 kHz, one channel. WAV is read here, all else through sox. Raises LabError."""
    if path.suffix.lower() != ".wav":
        return _read_with_sox(path)
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getsampwidth(), file.getnchannels(), file.getframerate())
            raw = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as fault:
        raise LabError(f"{path} cannot be read: {fault}") from fault
    width, channels, rate = shape
    if width != 2:
        return _read_with_sox(path)
    samples = np.frombuffer(raw, dtype="<i2").astype(np.float32).reshape(-1, channels).mean(axis=1)
    return _resample(samples, rate)


def _resample(samples: np.ndarray[tuple[int], np.dtype[np.float32]], rate_hz: int) -> Samples:
    """To 8 kHz by straight lines between samples: enough to recognise, not to enjoy."""
    if rate_hz != SAMPLE_RATE_HZ:
        wanted = np.arange(round(len(samples) * SAMPLE_RATE_HZ / rate_hz)) * (rate_hz / SAMPLE_RATE_HZ)
        samples = np.interp(wanted, np.arange(len(samples)), samples).astype(np.float32)
    return np.round(samples).astype(np.int16)


def _read_with_sox(path: Path) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "sound.wav"
        command = ["sox", "-D", "-V1", str(path), "-r", str(SAMPLE_RATE_HZ), "-b", "16", "-c", "1", str(target)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_CONVERT_DEADLINE_S)
        except (OSError, subprocess.SubprocessError) as fault:
            raise LabError(f"{path} cannot be converted with sox: {fault}") from fault
        return read_sound(target)


def _fits(wanted: list[str], key: list[str]) -> bool:
    """Whether the parts wanted stand in the key in this order, the last one last."""
    parts = iter(key)
    return wanted[-1] == key[-1] and all(part in parts for part in wanted)
