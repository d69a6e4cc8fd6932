"""Guesses which known word a mistyped one was meant to be. Pure; used wherever a name is not known."""

from __future__ import annotations

import difflib
from collections.abc import Collection


def closest(word: str, known: Collection[str]) -> str:
    """The question "did you mean `menu`?", or "" if nothing known comes near. Capitals do not count."""
    plain = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), plain, n=1, cutoff=0.6)
    return f"did you mean `{plain[near[0]]}`?" if near else ""
