"""What follows when an agent does not take a call, by the cause: counting, rest, pause, return. Pure.

Asked by the store when an offer has failed. There are two counts, both of failed offers in a row, both ended by a
talk or by becoming available: one of all causes that lead to a pause, and one of each cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cordboard.acd.model import RONA, OfferEnd, RonaPolicy, RonaRule

# What cannot be rung is not tried again in a tight loop, whatever a queue says.
LEAST_REST_S = 1.0
_AT_ONCE = frozenset(
    {OfferEnd.FAILED, OfferEnd.BUSY, OfferEnd.UNAVAILABLE, OfferEnd.UNREGISTERED, OfferEnd.REJECTED}
)


@dataclass(frozen=True, slots=True)
class RonaCounts:
    """Failed offers in a row. in_a_row: of all causes that lead to a pause; by_cause: by the name of each."""

    in_a_row: int = 0
    by_cause: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Consequence:
    """counts: from now on; rest_s: no offer for so long; goes_last: in the line of those who wait for calls.

    pauses: how many in a row the pause is for, 0 for no pause; return_after_s: then they are available again, 0.0
    for not by themselves.
    """

    counts: RonaCounts
    rest_s: float = 0.0
    goes_last: bool = False
    pauses: int = 0
    return_after_s: float = 0.0


def after_failed_offer(policy: RonaPolicy, end: OfferEnd, counts: RonaCounts) -> Consequence:
    """What an offer that came to nothing means for its agent."""
    if end not in RONA:
        rest_s = max(policy.retry_after_s, LEAST_REST_S) if end is OfferEnd.FAILED else 0.0
        return Consequence(counts, rest_s)
    rule = policy.causes.get(end, RonaRule())
    if rule.then == "nothing":
        return Consequence(counts, _least_rest_s(end))
    rest_s = policy.retry_after_s if rule.rest_s is None else rule.rest_s
    if rule.then == "rest":
        return Consequence(counts, max(rest_s, _least_rest_s(end)), goes_last=True)
    return _counted(policy, rule, end, counts, rest_s)


def _counted(policy: RonaPolicy, rule: RonaRule, end: OfferEnd, counts: RonaCounts, rest_s: float) -> Consequence:
    of_cause = counts.by_cause.get(end, 0) + 1
    now = RonaCounts(counts.in_a_row + 1, {**counts.by_cause, end.value: of_cause})
    is_enough = of_cause >= rule.after if rule.after else 0 < policy.pause_after <= now.in_a_row
    return Consequence(
        counts=now,
        rest_s=rest_s,
        goes_last=True,
        pauses=(of_cause if rule.after else now.in_a_row) if is_enough else 0,
        return_after_s=policy.return_after_s if rule.return_after_s is None else rule.return_after_s,
    )


def _least_rest_s(end: OfferEnd) -> float:
    return LEAST_REST_S if end in _AT_ONCE else 0.0
