"""What a queue says about those who wait in it: whom it lets in, when it sends them on, what it tells them.

Plain values, parts of `model.Queue`; read from `queues.yaml` by `written_waiting` and `written_announcements`. What
follows from them is worked out in `joining`, `overflow` and `announcements`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

EmptyFactor = Literal[
    "logged_out", "paused", "penalty", "in_use", "ringing", "unavailable", "unknown", "wrap_up"
]  # what makes an agent count as nobody
AtClosing = Literal["serve", "send_out"]
PeriodicOrder = Literal["cycle", "random"]


@dataclass(frozen=True, slots=True)
class OverflowStep:
    """When callers are sent on, and where. All the conditions that are given must hold; None for one that is not.

    wait_s: they have waited for so long; position: they stand further back than this; estimated_s: what they are
    likely to wait still is more; ratio: more callers wait than this for each agent who is there.
    to: another queue, in which they stand where they stood by time and priority; "" for out, back to the flow.
    """

    wait_s: float | None = None
    position: int | None = None
    estimated_s: float | None = None
    ratio: float | None = None
    to: str = ""


@dataclass(frozen=True, slots=True)
class PositionAnnouncement:
    """The caller's place, told after `first_after_s` and then every `every_s`; every_s 0: never.

    before: what is said before the number, by language. up_to: the last place that is told as it is; beyond: what
    is said before that number to those further back, by language; nothing is without it.
    only_changed: not the same number again; only_up: none that is worse than the last; on_change: at once when it
    is better, whatever the rhythm.
    """

    first_after_s: float = 20.0
    every_s: float = 0.0
    before: Mapping[str, str] = field(default_factory=dict)
    up_to: int = 20
    beyond: Mapping[str, str] = field(default_factory=dict)
    only_changed: bool = False
    only_up: bool = False
    on_change: bool = False


@dataclass(frozen=True, slots=True)
class WaitAnnouncement:
    """The wait that is likely still, in minutes; every_s 0: never. Texts by language.

    before: in front of the number; minutes: behind it; minute: all of it for a wait of one minute.
    """

    first_after_s: float = 30.0
    every_s: float = 0.0
    before: Mapping[str, str] = field(default_factory=dict)
    minutes: Mapping[str, str] = field(default_factory=dict)
    minute: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeriodicAnnouncement:
    """Messages, one at a time; every_s 0: never. texts: each by language. order: in turn, or by chance."""

    first_after_s: float = 60.0
    every_s: float = 0.0
    texts: tuple[Mapping[str, str], ...] = ()
    order: PeriodicOrder = "cycle"
