"""What is spoken for a queue: the whisper that only the agent hears, and what callers are told while they wait.

Prompts are named like those of a flow `queue-<name>`, so recordings are found as
`prompts/en/queue-sales/whisper.wav`; numbers as `prompts/en/numbers/3.wav`. Asked for by the service, and by
whatever makes prompts playable beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator

from cordboard.acd.model import FloorPlan, Queue
from cordboard.telephony.verbs import Prompt

WHISPER = "whisper"
POSITION = "position"
BEYOND = "beyond"
WAIT = "wait"
MINUTES = "minutes"
MINUTE = "minute"
PERIODIC = "message"
NUMBERS = "numbers"
MINUTES_MAX = 60  # who waits longer than an hour is told nothing: no figure comforts there


def whisper_prompt(queue: Queue) -> Prompt | None:
    """What an agent of the queue hears before the caller; None for nothing."""
    language = queue.accept.language
    return _prompt(queue, WHISPER, language, queue.accept.whisper.get(language, ""))


def position_prompt(queue: Queue, language: str) -> Prompt | None:
    """What a caller hears before the number of their place; None where nothing is said in their language."""
    return _prompt(queue, POSITION, language, queue.announce.before.get(language, ""))


def position_prompts(queue: Queue, language: str, position: int) -> tuple[Prompt, ...]:
    """A place, in words; () where nothing is said of it in the caller's language."""
    rules = queue.announce
    if position <= rules.up_to:
        before = position_prompt(queue, language)
    else:
        before = _prompt(queue, BEYOND, language, rules.beyond.get(language, ""))
    return () if before is None else (before, number_prompt(min(position, rules.up_to), language))


def wait_prompts(queue: Queue, language: str, minutes: int) -> tuple[Prompt, ...]:
    """A likely wait of 1 to `MINUTES_MAX` minutes; () where nothing is said of it in the caller's language."""
    rules = queue.announce_wait
    before = _prompt(queue, WAIT, language, rules.before.get(language, ""))
    if before is None:
        return ()
    one = _prompt(queue, MINUTE, language, rules.minute.get(language, ""))
    if minutes == 1 and one is not None:
        return before, one
    unit = _prompt(queue, MINUTES, language, rules.minutes.get(language, ""))
    return (before, number_prompt(minutes, language), *([] if unit is None else [unit]))


def periodic_prompts(queue: Queue, language: str, number: int) -> tuple[Prompt, ...]:
    """One of the messages, counted from 0; () where it has no text in the caller's language."""
    text = queue.announce_periodic.texts[number].get(language, "")
    prompt = _prompt(queue, f"{PERIODIC}-{number + 1}", language, text)
    return () if prompt is None else (prompt,)


def number_prompt(number: int, language: str) -> Prompt:
    """A number as a prompt of its own.

    The switch's own way of saying numbers cannot be interrupted, and an offer interrupts.
    """
    return Prompt(NUMBERS, str(number), language, str(number))


def queue_prompts(plan: FloorPlan) -> list[Prompt]:
    """Every prompt of every queue, to be made playable before the first call."""
    return [prompt for queue in plan.queues.values() for prompt in _prompts(queue)]


def _prompts(queue: Queue) -> Iterator[Prompt]:
    if (whisper := whisper_prompt(queue)) is not None:
        yield whisper
    yield from dict.fromkeys((*_of_positions(queue), *_of_waits(queue), *_of_messages(queue)))


def _of_positions(queue: Queue) -> Iterator[Prompt]:
    rules = queue.announce
    if rules.every_s > 0:
        for language in {**rules.before, **rules.beyond}:
            for position in range(1, rules.up_to + 2):
                yield from position_prompts(queue, language, position)


def _of_waits(queue: Queue) -> Iterator[Prompt]:
    if queue.announce_wait.every_s > 0:
        for language in queue.announce_wait.before:
            for minutes in range(1, MINUTES_MAX + 1):
                yield from wait_prompts(queue, language, minutes)


def _of_messages(queue: Queue) -> Iterator[Prompt]:
    rules = queue.announce_periodic
    if rules.every_s > 0:
        for number, texts in enumerate(rules.texts):
            for language in texts:
                yield from periodic_prompts(queue, language, number)


def _prompt(queue: Queue, name: str, language: str, text: str) -> Prompt | None:
    return Prompt(f"queue-{queue.name}", name, language, text) if text else None
