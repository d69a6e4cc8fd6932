"""A call as the core sees it, whatever switch it came in on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Call:
    """One caller's call, from first ring to last hang-up.

    call_id:     ours, 26 characters of Crockford base 32 (a ULID), the same for the call's whole life.
    ani, dnis:   the caller's number as the trunk sent it ("" if withheld), and the number that was dialled.
    caller_name: what the trunk sent as display name, without what does not print. The caller chose it: show it as
                 text, put it nowhere else.
    leg_id:      the switch's own unique id of the caller's leg, as in `Leg`.
    """

    call_id: str
    switch: str
    leg_id: str
    dnis: str
    started_at: datetime
    ani: str = field(default="", repr=False)
    caller_name: str = field(default="", repr=False)
