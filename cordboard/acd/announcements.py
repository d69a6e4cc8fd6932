"""What a waiting caller is told, and when: their place, the wait that is likely still, messages. Pure.

Each of the three has a rhythm of its own, counted from the moment the caller came, so that an offer that failed or
a change of worker brings nothing forward and repeats nothing. What is due at the same time is said in one go. Used
by the waiting room, which asks for the figures and has the phone speak.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from cordboard.acd import prompts
from cordboard.acd.model import Queue
from cordboard.telephony.verbs import Prompt

MINUTES_MAX = 60  # who waits longer than an hour is told nothing: no figure comforts there
BEFORE = -1.0  # before the caller came, so that what is due at once is due

Kind = Literal["position", "wait", "periodic"]


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller has been told last: their place and the minutes, 0 for nothing yet."""

    position: int = 0
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a caller when they are told. position: None if they have none any more; wait_s: None if
    nobody can tell; waited_s: so far.
    """

    waited_s: float
    position: int | None = None
    wait_s: float | None = None


def next_announcement_s(queue: Queue, waited_s: float) -> float:
    """After how much waiting the next announcement is due; infinite if none ever is."""
    return min((_next_s(first, every, waited_s) for _, first, every in _rhythms(queue)), default=math.inf)


def kinds_due(queue: Queue, since_s: float, waited_s: float) -> frozenset[Kind]:
    """What has come due after one moment of the wait, up to another."""
    rhythms = _rhythms(queue)
    return frozenset(kind for kind, first, every in rhythms if _next_s(first, every, since_s) <= waited_s)


def is_better(queue: Queue, told: Told, position: int) -> bool:
    """Whether a caller's new place is worth telling at once."""
    return queue.announce.on_change and told.position > position > 0


def depends_on_told(queue: Queue) -> bool:
    """Whether the place that a caller was told last decides what they are told next."""
    return queue.announce.only_changed or queue.announce.only_up or queue.announce.on_change


def announcement(
    queue: Queue, language: str, kinds: frozenset[Kind], figures: Figures, told: Told, call_id: str
) -> tuple[tuple[Prompt, ...], Told]:
    """What to say of what is due, () for nothing, and what the caller has been told then."""
    said: list[Prompt] = []
    position = figures.position
    if "position" in kinds and position is not None and _may_tell(queue, told, position):
        said += prompts.position_prompts(queue, language, position)
        told = replace(told, position=position)
    minutes = _minutes(figures.wait_s)
    if "wait" in kinds and 1 <= minutes <= prompts.MINUTES_MAX:
        said += prompts.wait_prompts(queue, language, minutes)
        told = replace(told, minutes=minutes)
    if "periodic" in kinds:
        said += prompts.periodic_prompts(queue, language, _turn(queue, figures.waited_s, call_id))
    return tuple(said), told


def _rhythms(queue: Queue) -> Iterator[tuple[Kind, float, float]]:
    """Those that there are, each with when it is first due, and how often then."""
    found: tuple[tuple[Kind, float, float], ...] = (
        ("position", queue.announce.first_after_s, queue.announce.every_s),
        ("wait", queue.announce_wait.first_after_s, queue.announce_wait.every_s),
        ("periodic", queue.announce_periodic.first_after_s, queue.announce_periodic.every_s),
    )
    return (one for one in found if one[2] > 0)


def _next_s(first_s: float, every_s: float, waited_s: float) -> float:
    if waited_s < first_s:
        return first_s
    return first_s + (math.floor((waited_s - first_s) / every_s) + 1) * every_s


def _may_tell(queue: Queue, told: Told, position: int) -> bool:
    rules = queue.announce
    if not told.position:
        return True
    is_same, is_worse = position == told.position, position > told.position
    return not (rules.only_changed and is_same) and not (rules.only_up and is_worse)


def _minutes(wait_s: float | None) -> int:
    """Whole minutes, rounded up: who is told three must not wait four."""
    return 0 if wait_s is None else math.ceil(wait_s / 60)


def _turn(queue: Queue, waited_s: float, call_id: str) -> int:
    """Which message it is now. By chance, but the same on every worker, whoever has the call."""
    rules = queue.announce_periodic
    number = math.floor(max(0.0, waited_s - rules.first_after_s) / rules.every_s)
    if rules.order == "random":
        number = zlib.crc32(f"{call_id}:{number}".encode())
    return number % len(rules.texts)
