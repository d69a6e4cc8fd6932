"""What an edge lets through as a telephone number to show or to keep. Pure; used by the switches and the phones."""

from __future__ import annotations

import re

from cordboard.errors import SwitchProtocolError

_NUMBER = re.compile(r"\+?[0-9]{1,20}")


def is_number(text: str) -> bool:
    """Whether a text is a telephone number, and can mean nothing else to any switch."""
    return _NUMBER.fullmatch(text) is not None


def shown_number(text: str) -> str:
    """A number that a switch is to show as the caller's. Raises SwitchProtocolError on anything else."""
    if not is_number(text):
        raise SwitchProtocolError("a caller id that is no number")
    return text
