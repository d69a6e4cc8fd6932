"""What came of a verb. Outcomes are data which a flow routes on; errors (a lost link) are exceptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cordboard.telephony.hangup_causes import HangupCause


@dataclass(frozen=True, slots=True)
class Done:
    """The verb was carried out to its end."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Keys came. The digits never show in a repr, because some are secret.

    ended_by: "full" (max_digits reached), "end_key", or "timeout" (inter-digit time passed). After the end key
    alone `digits` is "".
    """

    digits: str = field(repr=False)
    ended_by: Literal["full", "end_key", "timeout"]


@dataclass(frozen=True, slots=True)
class NoInput:
    """No key came before the first-digit time was over."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The target answered, they talked for `talk_s` seconds, and the target left; the caller is still here."""

    talk_s: float


@dataclass(frozen=True, slots=True)
class NotConnected:
    """The target was rung or tried, and nobody spoke. reason: busy, no_answer, rejected, unreachable."""

    reason: Literal["busy", "no_answer", "rejected", "unreachable"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message was recorded. path: on the switch's disk; duration_s: 0.0 if the caller said nothing.
    hung_up: the caller left while recording, as most do; the message is complete all the same.
    """

    path: str
    duration_s: float
    hung_up: bool = False


@dataclass(frozen=True, slots=True)
class HungUp:
    """The call has ended. Nothing more can be asked of it."""

    cause: HangupCause = HangupCause.NORMAL


@dataclass(frozen=True, slots=True)
class Failed:
    """The switch could not do it. reason: words for the log."""

    reason: str


Outcome = Done | Gathered | NoInput | Connected | NotConnected | Recorded | HungUp | Failed


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Not an outcome of the flow: the switch carries the verb on by itself (a `Dial`), this worker is done
    with the call, and any worker receives it again, with the verb's outcome, when the verb has ended.
    """
