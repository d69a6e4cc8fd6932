"""How long pauses may be and when one is over, as pages show it. Pure; used by the desk's page and the team's."""

from __future__ import annotations

from cordboard.acd.model import FloorPlan
from cordboard.acd.presence import limits_in_words
from cordboard.store.acd_values import AgentView


def pause_limits(plan: FloorPlan) -> dict[str, tuple[str, ...]]:
    """The limits of reasons to pause, as people read them; of those that have any."""
    return {reason: told for reason, rule in plan.pauses.items() if (told := limits_in_words(rule))}


def pause_ends_at(view: AgentView, at: float) -> float | None:
    """When a pause is over, or has been, to the tenth of a second; None for one without a limit.

    at: when the floor was read, in seconds since 1970, as the result.
    """
    return None if view.pause_left_s is None else round(at + view.pause_left_s, 1)
