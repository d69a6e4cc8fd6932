"""Prompts that exist by name only: files below one folder, each as long as the test says."""

from __future__ import annotations

from cordboard.telephony.ports import SoundFile
from cordboard.telephony.verbs import Prompt


def prompt(name: str) -> Prompt:
    """A prompt of the flow "support"."""
    return Prompt(flow="support", name=name, language="en", text=name)


class FixedSounds:
    """A `Sounds` of so many seconds each; names that begin with "missing" have no file."""

    def __init__(self, duration_s: float = 1.0, folder: str = "/prompts") -> None:
        self.duration_s = duration_s
        self.folder = folder

    def find(self, prompt: Prompt) -> SoundFile | None:
        """The file."""
        if prompt.name.startswith("missing"):
            return None
        return SoundFile(f"{self.folder}/{prompt.name}", self.duration_s)
