"""Lengths of time as people say them, for the reasons of a match and the command line's reports. Pure text."""

from __future__ import annotations


def in_words(seconds: float) -> str:
    """ "12 s", "3 min 12 s", "2 h 5 min": whole seconds, rounded down; never less than nothing."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
