"""Check `prompts`: every prompt of every flow and queue has a sound, or will have one when the service starts."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence

from cordboard.bootstrap.checks.premises import Premises, quoted
from cordboard.bootstrap.checks.result import Check, Result, counted, fault, listed, ok, warning
from cordboard.prompts.library import PromptState

VOICE_PROGRAMS = ("espeak-ng", "sox")
DEADLINE_S = 20.0  # a big site has thousands of files, perhaps on a slow disk


async def look(premises: Premises) -> Sequence[Result]:
    """Recordings that cannot be played, and prompts without any sound."""
    configuration = premises.configuration
    prompts = list({(p.language, p.flow, p.name, p.text): p for p in configuration.prompts()}.values())
    states = await asyncio.to_thread(lambda: [configuration.library.inspect(prompt) for prompt in prompts])
    broken = [state for state in states if state.source == "unplayable"]
    missing = [state for state in states if state.source == "missing"]
    results = [*map(_unplayable, broken[:3])]
    if missing:
        needed = configuration.library.programs(state.prompt.language for state in missing)
        absent = [program for program in needed if shutil.which(program) is None]
        results.append(_missing(premises, missing, absent))
    return results or [ok(f"all of {counted(len(prompts), 'prompt')} can be played")]


def _unplayable(state: PromptState) -> Result:
    path = quoted(state.path or "")
    fix = f"sox {path} -r 8000 -c 1 -b 16 /tmp/new.wav && mv /tmp/new.wav {path}"
    return fault(f"callers do not hear the recording {state.path}: {state.fault}", fix)


def _missing(premises: Premises, missing: Sequence[PromptState], absent: Sequence[str]) -> Result:
    names = [f"{state.prompt.language}/{state.prompt.flow}/{state.prompt.name}" for state in missing]
    seen = f"{counted(len(missing), 'prompt')} neither recorded nor spoken yet: {listed(names)}"
    if absent:
        seen += f"; and {' and '.join(absent)} to speak them is not installed"
        is_ours = set(absent) <= set(VOICE_PROGRAMS)
        return fault(seen, f"apt-get install {' '.join(VOICE_PROGRAMS if is_ours else absent)}")
    return warning(
        seen, f"cordboard prompts build -c {quoted(premises.directory)} (or the service, when it starts)"
    )


CHECK = Check("prompts", look, "the folder with prompts does not answer; is it on a network disk?", DEADLINE_S)
