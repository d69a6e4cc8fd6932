"""The transactions about callbacks and calls that were cut off.

Like `AcdStore`'s: each is complete in itself, makes the offers it makes possible, and changes nothing when it is
told again. Used by `service.callbacks`, and by the command that crosses one off.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from cordboard.acd.model import Moment
from cordboard.store import callback_attempts, callback_claims, callback_closing, callbacks, cut_offs
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import Changes
from cordboard.store.callback_attempts import Attempt, CalledBack
from cordboard.store.callbacks import CallbackAsked
from cordboard.store.turn import Turn
from cordboard.telephony.outcomes import CallbackBooked, CallbackRefused


@dataclass(frozen=True, slots=True)
class ToDial:
    """attempts: claimed, to be dialled now; overdue: calls of legs that must be looked up, by leg."""

    attempts: tuple[Attempt, ...]
    overdue: dict[str, str]
    changes: Changes


class CallbackStore:
    """acd: the store of the same process, whose floor plan holds here too."""

    def __init__(self, acd: AcdStore) -> None:
        self._acd = acd

    def book(
        self, c: Connection, now: Moment, asked: CallbackAsked
    ) -> tuple[CallbackBooked | CallbackRefused, Changes]:
        """Promise somebody a call; once for each number and queue."""
        turn = self._turn(c, now)
        callback_claims.tidy(turn)
        booked = callbacks.book_callback(turn, asked)
        return booked, self._finish(turn)

    def is_any_open(self, c: Connection, now: Moment) -> bool:
        """Whether anybody is to be dialled, now or later."""
        return callback_claims.is_any_open(self._turn(c, now))

    def claim(self, c: Connection, now: Moment) -> ToDial:
        """Whom to dial now, and what has to be looked up before."""
        turn = self._turn(c, now)
        callback_claims.tidy(turn)
        overdue = callback_claims.overdue(turn)
        attempts = callback_claims.claim(turn)
        return ToDial(tuple(attempts), overdue, self._finish(turn))

    def settle_overdue(self, c: Connection, now: Moment, live_legs: Collection[str]) -> Changes:
        """End the attempts whose legs the switch does not know."""
        turn = self._turn(c, now)
        callback_claims.settle_overdue(turn, live_legs)
        return self._finish(turn)

    def attempt_ended(
        self, c: Connection, now: Moment, call_id: str, result: str, *, counts: bool = True
    ) -> Changes:
        """An attempt has come to nothing; nothing if its customer waits or talks. counts: not if it was none, as
        nobody was rung.
        """
        turn = self._turn(c, now)
        callback_attempts.ended(turn, call_id, result, counts=counts)
        return self._finish(turn)

    def not_reached(self, c: Connection, now: Moment, call_id: str, result: str) -> Changes:
        """Why the customer did not come to the phone whom an agent has heard ringing."""
        turn = self._turn(c, now)
        callback_attempts.note_not_reached(turn, call_id, result)
        return self._finish(turn)

    def declined(self, c: Connection, now: Moment, call_id: str) -> Changes:
        """The customer has picked up, and does not want to be called back any more."""
        turn = self._turn(c, now)
        callback_attempts.declined(turn, call_id)
        callback_claims.tidy(turn)
        return self._finish(turn)

    def called_back(self, c: Connection, now: Moment, call_id: str) -> CalledBack | None:
        """What a leg that was made is to do; None if nobody waits for it any more."""
        return callback_attempts.called_back(self._turn(c, now), call_id)

    def cross_off(self, c: Connection, now: Moment, callback_id: str) -> bool:
        """Somebody has called them, or need not. False if nobody waits for this one, or not any more."""
        turn = self._turn(c, now)
        is_closed = callback_closing.close(turn, callback_id, "done", "crossed off")
        callback_claims.tidy(turn)
        self._finish(turn)
        return is_closed

    def left(self, c: Connection, now: Moment, call_id: str, cause: int, at: float) -> Changes:
        """A caller's leg has ended without a hang-up."""
        turn = self._turn(c, now)
        cut_offs.note_left(turn, call_id, cause, at)
        return self._finish(turn)

    def _turn(self, c: Connection, now: Moment) -> Turn:
        return Turn(c, now, self._acd.plan)

    def _finish(self, turn: Turn) -> Changes:
        self._acd.match(turn)
        return turn.finish()
