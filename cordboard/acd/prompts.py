"""What is spoken for a queue: the whisper that only the agent hears, and the words before a caller's place.

Prompts are named like those of a flow `queue-<name>`, so recordings are found as
`prompts/en/queue-sales/whisper.wav`. Asked for by the service, and by whatever makes prompts playable beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator

from cordboard.acd.model import FloorPlan, Queue
from cordboard.telephony.verbs import Prompt

WHISPER = "whisper"
POSITION = "position"
NUMBERS = "numbers"
PLACES_MAX = 20  # who is further back is told nothing: there is no comfort in it


def whisper_prompt(queue: Queue) -> Prompt | None:
    """What an agent of the queue hears before the caller; None for nothing."""
    language = queue.accept.language
    return _prompt(queue, WHISPER, language, queue.accept.whisper.get(language, ""))


def position_prompt(queue: Queue, language: str) -> Prompt | None:
    """What a caller hears before the number of their place; None where nothing is said in their language."""
    return _prompt(queue, POSITION, language, queue.announce.before.get(language, ""))


def place_prompt(place: int, language: str) -> Prompt:
    """A place, from 1 to PLACES_MAX, as a prompt of its own, found as `prompts/en/numbers/3.wav`.

    The switch's own way of saying numbers cannot be interrupted, and an offer interrupts.
    """
    return Prompt(NUMBERS, str(place), language, str(place))


def queue_prompts(plan: FloorPlan) -> list[Prompt]:
    """Every prompt of every queue, to be made playable before the first call."""
    return [prompt for queue in plan.queues.values() for prompt in _prompts(queue)]


def _prompts(queue: Queue) -> Iterator[Prompt]:
    candidates = [whisper_prompt(queue), *(position_prompt(queue, language) for language in queue.announce.before)]
    yield from (prompt for prompt in candidates if prompt is not None)
    if queue.announce.every_s > 0:
        for language in queue.announce.before:
            yield from (place_prompt(place, language) for place in range(1, PLACES_MAX + 1))


def _prompt(queue: Queue, name: str, language: str, text: str) -> Prompt | None:
    return Prompt(f"queue-{queue.name}", name, language, text) if text else None
