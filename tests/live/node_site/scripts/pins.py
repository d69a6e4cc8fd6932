"""The one account and its PIN, for the flow `secret`."""

from __future__ import annotations


def check(*, account: str, pin: str) -> dict[str, bool]:
    """Whether the PIN is that of the account."""
    return {"is_right": (account, pin) == ("46025139", "73915826")}
