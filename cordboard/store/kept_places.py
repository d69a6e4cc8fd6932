"""Whether a caller who is gone keeps the place all the same: cut off perhaps, or called back later. Called by
`acd_leaving.leave`, through which every caller goes who is gone.

That a leg has ended is known at once, why it has ended a moment later, from another side (`cut_offs`). Until then,
where a queue keeps the places of those who are cut off, a place is `away` and of the kind `hung_up`: no agent is
offered to nobody, and nothing is decided yet.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from cordboard.acd.cut_off import UNTOLD_S
from cordboard.acd.model import LeftBecause
from cordboard.acd.place_keeping import when_gone, when_restarted
from cordboard.store import acd_away, callback_attempts
from cordboard.store.turn import Turn


def keeps(turn: Turn, entry: Row[Any], because: LeftBecause, at: float) -> bool:
    """Whether the place outlives this caller's leaving; what is to be done for that is done. at: when they left."""
    may_be_promised = entry.kind == "callback" or because is LeftBecause.LOST
    mode = callback_attempts.mode_of(turn, entry) if may_be_promised else None
    match when_gone(entry.state, entry.kind, because, turn.queue(entry.queue).cut_off, mode):
        case "left":
            return False
        case "attempt_failed":
            callback_attempts.leg_gone(turn, entry)
        case "called_again":
            callback_attempts.lost(turn, entry, at_once=entry.lease_until == 0.0)  # the machine was restarted
        case "untold":
            return acd_away.go_away(turn, entry, turn.now.boot + UNTOLD_S, kind="hung_up", gone_at=at)
    return True


def keeps_restarted(turn: Turn, entry: Row[Any]) -> bool:
    """The same of a place that was away when the machine was restarted."""
    policy = turn.queue(entry.queue).cut_off
    match when_restarted(entry.kind, policy, callback_attempts.mode_of(turn, entry)):
        case "held":
            return policy is not None and acd_away.hold_until(turn, entry.entry_id, turn.now.boot + policy.hold_s)
        case "called_again":
            callback_attempts.lost(turn, entry, at_once=True)
            return True
    return False
