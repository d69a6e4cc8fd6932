"""Keeps what a voice has spoken from one stage to the next: hundreds of prompts, for which each would wait again.

Used by `stage`. A file's name holds a fingerprint of voice and text (`prompts.library`), so one of that name is
that sound. Recordings are not kept: they are the admin's, and may change under their name.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cordboard.lab.cleanup import state_root

_SPOKEN = "[a-z]*/*.wav"
_NOT_OURS = "recorded"


def fill(prompts: Path) -> None:
    """Put what was spoken before into the prompts' folder of a new stage."""
    _link_all(cache_folder(), prompts)


def keep(prompts: Path) -> None:
    """Keep what a stage has spoken."""
    _link_all(prompts, cache_folder())


def cache_folder() -> Path:
    """Where they are kept, from one lab to the next."""
    root = state_root()
    cache = root.with_name(f"{root.name}-spoken")  # not within: what has no owner is swept there
    cache.mkdir(mode=0o700, exist_ok=True)
    return cache


def _link_all(source: Path, target: Path) -> None:
    """Link the files that the target lacks. Two stages may do so at once; one that cannot be linked is no loss."""
    for file in source.glob(_SPOKEN):
        place = target / file.relative_to(source)
        if file.parent.name != _NOT_OURS and not place.exists():
            with contextlib.suppress(OSError):
                place.parent.mkdir(parents=True, exist_ok=True)
                os.link(file, place)
