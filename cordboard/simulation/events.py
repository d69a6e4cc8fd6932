"""What happens in a simulated call, in order: what is said, keyed, asked of the world outside, and how it ends.

Written by the rehearsal; read by those who show a call, judge it, count what it covered or write it as a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cordboard.flows.step import Passed
from cordboard.simulation.hearing import Spoken
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.outcomes import Outcome
from cordboard.telephony.verbs import Verb

Result = Literal["finished", "hung_up", "failed", "transferred"]
"""`finished`: the flow hung up; `hung_up`: the caller did; `failed`: to the safe destination; `transferred`."""


@dataclass(frozen=True, slots=True)
class Entered:
    """The call has come to a node."""


@dataclass(frozen=True, slots=True)
class Left:
    """The call has left a node. passed: by which way."""

    passed: Passed


@dataclass(frozen=True, slots=True)
class Broke:
    """Something broke here. reason: words of the engine; the call goes to `on_failure`, or is lost."""

    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Something was said to the caller. whole: False if it was cut."""

    said: Spoken
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Keyed:
    """The caller pressed keys, and they counted. secret: nothing may show them."""

    keys: str = field(repr=False)
    secret: bool = False


@dataclass(frozen=True, slots=True)
class KeysLost:
    """The caller pressed keys, and nobody listened. why: in words."""

    keys: str = field(repr=False)
    why: str


@dataclass(frozen=True, slots=True)
class Silence:
    """The caller said nothing for so long, and that was taken for an answer."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Spoke:
    """The caller spoke into a recording."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Waited:
    """The caller waited in a queue, heard it ring, or talked. who: the queue, the extension or the agent."""

    what: Literal["waits", "rings", "talks"]
    who: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Asked:
    """Something was asked of the world outside, and this came of it."""

    verb: Verb
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """The caller hung up."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over. cause: what the flow's hang-up said."""

    result: Result
    cause: HangupCause = HangupCause.NORMAL


What = Entered | Left | Broke | Heard | Keyed | KeysLost | Silence | Spoke | Waited | Asked | CallerLeft | Ended


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. at_s: seconds since the call began; flow, node: where; language: the call's."""

    at_s: float
    flow: str
    node: str
    language: str
    what: What
