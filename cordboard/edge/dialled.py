"""What comes of ringing several phones. Pure; used by the arrivals of both edges."""

from __future__ import annotations

from collections.abc import Sequence

from cordboard.telephony.outcomes import Failed, NotConnected

_TELLING = ("no_answer", "rejected", "busy", "unreachable")


def closest(outcomes: Sequence[NotConnected | Failed]) -> NotConnected | Failed:
    """Of several phones that nobody answered, the outcome of the one that came closest to it."""
    reasons = {one.reason: one for one in outcomes if isinstance(one, NotConnected)}
    return next((reasons[reason] for reason in _TELLING if reason in reasons), outcomes[-1])
