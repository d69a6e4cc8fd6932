"""Whose place outlives their leaving: what becomes of it when a leg has ended, and when it is known why. Pure.

That a leg has ended is known at once, why it has ended a moment later, from another side. Until then, where a queue
keeps the places of those who are cut off, nothing is decided. Asked by the store and by simulated days, in the same
words: a place is `waiting`, `offered`, `away` or `talking`; of the kind `call`, `callback` (to be called back),
`cut_off` (dropped while waiting), or `hung_up` (nobody knows yet).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from cordboard.acd.callback_policy import CutOffPolicy
from cordboard.acd.cut_off import is_cut_off, keeps_places
from cordboard.acd.model import LeftBecause

WhenGone = Literal["left", "as_before", "attempt_failed", "called_again", "untold"]
"""`as_before`: the place is held already; `attempt_failed`: they are called again; `called_again`: the same, and it
was no attempt; `untold`: it is held until it is known why they have gone."""

WhenTold = Literal["as_before", "hung_up", "attempt_failed", "nobodys", "held"]
"""`hung_up`: they have left; `nobodys`: cut off, and nobody could have it again; `held`: until they call."""

GIVEN_UP: Mapping[str, LeftBecause] = {
    "call": LeftBecause.EXIT_KEY,  # stepped out, and was not back in time
    "callback": LeftBecause.CALLBACK,
    "cut_off": LeftBecause.CUT_OFF,
    "hung_up": LeftBecause.ABANDONED,  # nobody has said that they were cut off
}
"""How a place ends that was kept for long enough, by its kind."""

WhenRestarted = Literal["given_up", "called_again", "held"]

_GONE = (LeftBecause.ABANDONED, LeftBecause.LOST)


def when_gone(
    state: str, kind: str, because: LeftBecause, policy: CutOffPolicy | None, attempt: str | None
) -> WhenGone:
    """What becomes of a place whose caller is gone. attempt: how they are being called back, None if nobody is.

    Somebody who is called back keeps it if they were not on the phone, or only for a moment; and one who waited, if
    we have lost them: not if they hung up.
    """
    if because not in _GONE or state == "talking":
        return "left"
    if state == "away" and kind in ("cut_off", "hung_up"):
        return "as_before"
    is_on_the_phone = state != "away" or kind == "call"
    if attempt is not None and because is LeftBecause.LOST and is_on_the_phone:
        return "called_again"
    if kind == "callback" and attempt is not None and (attempt == "agent_first" or state == "away"):
        return "attempt_failed"
    return "untold" if because is LeftBecause.ABANDONED and keeps_places(policy) else "left"


def when_told(
    state: str, kind: str, cause: int, policy: CutOffPolicy | None, *, is_called_back: bool, has_owner: bool
) -> WhenTold:
    """What becomes of a place when it is known why its caller's leg has ended. cause: Q.850.

    is_called_back: whether they were being called back; has_owner: whether anybody could come back to it.
    """
    if not keeps_places(policy) or (state, kind) == ("away", "cut_off"):
        return "as_before"
    if not is_cut_off(policy, cause):
        return "hung_up" if kind == "hung_up" else "as_before"
    if is_called_back:
        return "attempt_failed"
    return "held" if has_owner else "nobodys"


def when_restarted(kind: str, policy: CutOffPolicy | None, attempt: str | None) -> WhenRestarted:
    """What becomes of an `away` place when the machine was restarted: nobody knows for how long it was to be held.
    attempt: as for `when_gone`.

    Who stepped out was on the phone, and is not. Why one has gone who was called back is not to be found out now.
    """
    if attempt is not None:
        return "called_again"
    return "held" if kind == "cut_off" and keeps_places(policy) else "given_up"
