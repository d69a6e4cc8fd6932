"""Whether a caller who is gone keeps the place all the same: cut off perhaps, or called back later. Called by
`acd_entries.leave`, through which every caller goes who is gone.

That a leg has ended is known at once, why it has ended a moment later, from another side (`cut_offs`). Until then,
where a queue keeps the places of those who are cut off, a place is `away` and of the kind `hung_up`: no agent is
offered to nobody, and nothing is decided yet.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from cordboard.acd.cut_off import UNTOLD_S, keeps_places
from cordboard.acd.model import LeftBecause
from cordboard.store import acd_away, callback_attempts
from cordboard.store.turn import Turn

_GONE = (LeftBecause.ABANDONED, LeftBecause.LOST)


def keeps(turn: Turn, entry: Row[Any], because: LeftBecause) -> bool:
    """Whether the place outlives this caller's leaving; what is to be done for that is done."""
    if because not in _GONE or entry.state == "talking":
        return False
    if entry.state == "away" and entry.kind in ("cut_off", "hung_up"):
        return True
    if entry.kind == "callback" and callback_attempts.leg_gone(turn, entry):
        return True
    if because is LeftBecause.ABANDONED and keeps_places(turn.queue(entry.queue).cut_off):
        return acd_away.go_away(turn, entry, turn.now.boot + UNTOLD_S, kind="hung_up")
    return False
