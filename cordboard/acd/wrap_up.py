"""How long the time for notes after a talk lasts, and what ends it, by the mode of the queue. Pure.

fixed       ends by itself after `wrap_up_s`
extendable  the same, but the agent can ask for more, until `wrap_up_at_most_s` from its beginning
mandatory   ends with a disposition; or after `wrap_up_at_most_s`, if there is such a limit

A disposition ends it before its time too, unless the queue wants none of that (`wrap_up_early_exit`).
"""

from __future__ import annotations

from cordboard.acd.model import Queue

STEP_S = 30.0  # of more time, in a queue that gives none by itself


class WrapUpRefused(ValueError):
    """A wrap-up cannot be ended or made longer so; the message tells people why."""


def length_s(queue: Queue, disposition: str) -> float | None:
    """How long it lasts by itself, from the end of the talk; None until a disposition is chosen.

    disposition: chosen while they talked, "" for none.
    """
    if queue.wrap_up_mode != "mandatory" or disposition:
        return queue.wrap_up_s
    return queue.wrap_up_at_most_s or None


def ends_early(queue: Queue, disposition: str) -> bool:
    """Whether what the agent says ends it now. Raises WrapUpRefused where a disposition is a must and missing."""
    if queue.wrap_up_mode == "mandatory" and not disposition:
        raise WrapUpRefused(f"choose what came of it: {queue.name} wants a disposition for each call")
    return queue.wrap_up_early_exit


def can_extend(queue: Queue, extended_s: float) -> bool:
    """Whether there is more time to be had."""
    return queue.wrap_up_mode == "extendable" and _room_s(queue, extended_s) > 0


def extension_s(queue: Queue, extended_s: float) -> float:
    """How much longer it gets. extended_s: by how much it was made longer before. Raises WrapUpRefused."""
    if queue.wrap_up_mode != "extendable":
        raise WrapUpRefused(f"the wrap-up of {queue.name} cannot be made longer")
    if (room_s := _room_s(queue, extended_s)) <= 0:
        raise WrapUpRefused(f"the wrap-up of {queue.name} is as long as it can be")
    return min(queue.wrap_up_s or STEP_S, room_s)


def _room_s(queue: Queue, extended_s: float) -> float:
    return queue.wrap_up_at_most_s - queue.wrap_up_s - extended_s
