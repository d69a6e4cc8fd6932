"""What an agent may choose to be, and for how long: reasons to pause with their limits. Pure.

Asked by the store before it writes a presence, and by what shows agents how much of a pause is left.
"""

from __future__ import annotations

from typing import Literal

from cordboard.acd.durations import in_words
from cordboard.acd.model import FloorPlan, PauseRule, PauseThen, Presence

RONA_REASON = "rona"  # why an agent is paused who did not take their calls
NO_LIMITS = PauseRule()

Why = Literal["unknown_agent", "unknown_reason", "pause_full"]


class PresenceRefused(ValueError):
    """An agent cannot be that; the message tells people why, `why` programs."""

    def __init__(self, why: Why, message: str) -> None:
        self.why: Why = why
        super().__init__(message)


def check_reason(plan: FloorPlan, agent: str, presence: Presence, reason: str) -> str:
    """The reason to keep: "" for all but a pause. Raises PresenceRefused for an unknown agent or reason."""
    if agent not in plan.agents:
        raise PresenceRefused("unknown_agent", f"there is no agent {agent}")
    if presence is not Presence.PAUSED:
        return ""
    if reason and reason not in plan.pause_reasons:
        known = ", ".join(plan.pause_reasons)
        raise PresenceRefused("unknown_reason", f"{reason!r} is no reason to pause; there are: {known}")
    return reason


def check_room(plan: FloorPlan, agent: str, reason: str, others: int) -> None:
    """Whether one more may take this pause. others: how many are in it. Raises PresenceRefused."""
    rule = pause_rule(plan, agent, reason)
    if 0 < rule.at_once <= others:
        who = "1 agent is" if others == 1 else f"{others} agents are"
        raise PresenceRefused("pause_full", f"{who} at {reason} now, and {rule.at_once} may be at once")


def pause_rule(plan: FloorPlan, agent: str, reason: str) -> PauseRule:
    """The limits that hold for this agent's pause."""
    rule = plan.pauses.get(reason, NO_LIMITS)
    return NO_LIMITS if agent in rule.exempt else rule


def pause_left_s(plan: FloorPlan, agent: str, reason: str, lasts_s: float) -> float | None:
    """How much of a pause is left after `lasts_s`, less than nothing if it is over; None without a limit."""
    at_most_s = pause_rule(plan, agent, reason).at_most_s
    return at_most_s - lasts_s if at_most_s > 0 else None


def after_pause(then: PauseThen) -> Presence | None:
    """What an agent is made when the longest pause is over; None: they stay in it, and everybody sees that."""
    return None if then == "nothing" else Presence(then)


def limits_in_words(rule: PauseRule) -> tuple[str, ...]:
    """ "max 30 min" and "3 at once", as far as there are limits."""
    longest = (f"max {in_words(rule.at_most_s)}",) if rule.at_most_s > 0 else ()
    return longest + ((f"{rule.at_once} at once",) if rule.at_once else ())
