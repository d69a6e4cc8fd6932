"""Sounds laid out for FreeSWITCH: the same file once for each rate, `en/16000/support-welcome-<digest>.wav`.

FreeSWITCH puts the rate of the call into the path of what it plays. Made by `prompts build --for freeswitch` from
what `PromptLibrary.build` found; the service does not use it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from cordboard.prompts.library import VOICES_AT_ONCE, PromptState
from cordboard.prompts.programs import convert
from cordboard.prompts.wav import wideband_path

RATES_HZ = (8_000, 16_000, 32_000, 48_000)


async def lay_out(states: Iterable[PromptState], root: Path) -> int:
    """Write what is not there yet below `root`; how many files were written. Raises VoiceUnavailable, OSError."""
    gate = asyncio.Semaphore(VOICES_AT_ONCE)
    wanted = [
        (state.path, target, rate) for state in states if state.path for target, rate in _targets(state, root)
    ]
    missing = [one for one in wanted if not one[1].is_file()]

    async def write(source: Path, target: Path, rate_hz: int) -> None:
        async with gate:
            await convert(source, target, rate_hz)

    await asyncio.gather(*(write(_best(path), target, rate) for path, target, rate in missing))
    return len(missing)


def _targets(state: PromptState, root: Path) -> Iterable[tuple[Path, int]]:
    assert state.path is not None
    return [(root / state.prompt.language / str(rate) / state.path.name, rate) for rate in RATES_HZ]


def _best(path: Path) -> Path:
    """The file with the most in it: what was wideband is not to be made of its narrow copy."""
    wide = wideband_path(path)
    return wide if wide.is_file() else path
