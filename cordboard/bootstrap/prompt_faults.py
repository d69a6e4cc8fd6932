"""What is wrong with prompts, told in the log: callers would hear nothing, or not what was recorded."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from cordboard.prompts.library import PromptState

log = structlog.get_logger()

MOST_SHOWN = 20


def report_faults(faulty: Iterable[PromptState]) -> int:
    """Log one line for each prompt that cannot be played, up to a number that can be read; how many there are.

    A broken recording in whose place the text is spoken is told of too, and not counted.
    """
    unplayable = [state for state in faulty if state.path is None or state.source == "unplayable"]
    spoken = [state for state in faulty if state not in unplayable]
    for state in unplayable[:MOST_SHOWN]:
        log.error("prompt_unplayable", **_place(state))
    for state in spoken[:MOST_SHOWN]:
        log.warning("recording_unplayable", **_place(state))
    if max(len(unplayable), len(spoken)) > MOST_SHOWN:
        log.error("prompts_unplayable", count=len(unplayable), recordings=len(spoken))
    return len(unplayable)


def _place(state: PromptState) -> dict[str, str]:
    prompt = state.prompt
    return {"language": prompt.language, "flow": prompt.flow, "prompt": prompt.name, "fault": state.fault}
