"""A leg to somebody who is called back: what the edges ask their switches for. Pure; used by their `calling_back`.

Both dialplans have the same places for such legs; how each switch is told what to do there is its edge's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CONTEXT = "cordboard-callback"
STAND_IN_S = 5.0  # a leg of our own answers at once


@dataclass(frozen=True, slots=True)
class LegWanted:
    """What `originate` is called with, beside the leg's id. The extension is one of `CONTEXT`."""

    device: str = field(repr=False)
    extension: str
    ring_s: float
    variables: Mapping[str, str] = field(repr=False)
    caller_id: str
