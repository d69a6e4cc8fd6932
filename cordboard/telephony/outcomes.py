"""What came of a verb. Outcomes are data which a flow routes on; errors (a lost link) are exceptions."""

from __future__ import annotations

from collections.abc import Mapping
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
    """The target was rung or tried, and nobody spoke. "rejected": by the phone, or by who heard whose call it is
    and did not accept it. "refused": nothing was tried, because too many such calls were made just before.
    """

    reason: Literal["busy", "no_answer", "rejected", "unreachable", "refused"]


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


@dataclass(frozen=True, slots=True)
class Served:
    """An agent and the caller have talked, and the caller is still here. agent: the agent's name."""

    agent: str


@dataclass(frozen=True, slots=True)
class NotServed:
    """The caller has left the queue without an agent, or was not let in. reason: "max_wait"; "full" (too many
    wait), "empty" (no agent is there), "closed", "overflow" (sent on by the queue's rules); "no_store" if nobody
    could be found an agent for want of the database.
    """

    reason: Literal["max_wait", "full", "empty", "closed", "overflow", "no_store"]


@dataclass(frozen=True, slots=True)
class LeftByKey:
    """The caller has pressed a key that leads out of the queue. keeps_place: it is theirs when they enter the same
    queue again in time.
    """

    key: str
    keeps_place: bool = False


@dataclass(frozen=True, slots=True)
class AgentRung:
    """What came of `RingAgent`. result: as the agent's leg ended.

    "joined" (they talked; since when: `joined_at`), "no_answer", "busy", "rejected", "unavailable",
    "unregistered", "declined", "no_key", "left_whisper", "caller_left", "withdrawn" (the agent's leg was ended by
    us), "taken" (somebody else of those who were rung has the call), "failed". Times in seconds since 1970.
    others: what came of the other phones that were rung at the same time; who was joined is not among them.
    """

    offer_id: str
    result: str
    joined_at: float | None
    ended_at: float
    others: tuple[AgentRung, ...] = ()


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the CRM said. status: "found", "several" (then the fields are those of the best one), "none",
    "withheld" (no number to look for). fields: by name as in crm.yaml.

    matches: how many customers have the number; others: the fields of some of them, without the best one.
    """

    status: Literal["found", "several", "none", "withheld"]
    fields: Mapping[str, str | int | float | bool] = field(default_factory=dict, repr=False)
    matches: int = 0
    others: tuple[Mapping[str, str | int | float | bool], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class NotLookedUp:
    """The CRM did not answer in time, or with a fault. reason: words for the log, without values."""

    reason: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A key stopped what was played; it belongs to the next question. digits: usually one."""

    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transferred:
    """The call was given away; nothing more can be asked of it."""


@dataclass(frozen=True, slots=True)
class HttpAnswered:
    """The web service answered with 2xx. values: what `HttpRequest.answer` asked for and the answer had, typed."""

    status: int
    values: Mapping[str, str | int | float | bool] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class HttpFailed:
    """No answer in time, none that can be used, or a status that is not 2xx. status: 0 for none; reason: words for
    the log, without values.
    """

    reason: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class ScriptEnded:
    """The script returned. values: by name, each of its declared type."""

    values: Mapping[str, str | int | float | bool] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ScriptFailed:
    """The script raised, returned what it must not, or was killed at its deadline. reason: without values."""

    reason: str


@dataclass(frozen=True, slots=True)
class CallbackBooked:
    """The caller will be called back."""

    callback_id: str


@dataclass(frozen=True, slots=True)
class CallbackRefused:
    """No call back. reason: "number" (none, malformed, or not allowed by the dial policy), "already" (one is booked
    for this number and queue), "full", "no_store".
    """

    reason: Literal["number", "already", "full", "no_store"]


@dataclass(frozen=True, slots=True)
class ActedAsAgent:
    """It is done. agent, full_name: who calls; presence, reason: what they are now; wraps_up: whether a call of
    theirs waits for a disposition.
    """

    agent: str
    full_name: str
    presence: str
    reason: str = ""
    wraps_up: bool = False


@dataclass(frozen=True, slots=True)
class AgentRefused:
    """It cannot be done. reason: "unknown" (no agent has this number, this code with this PIN), "too_many" (wrong
    PINs, for some minutes), "full" (as many agents as may are in that pause), "not_possible" (no call to dispose,
    no more time to be had), "no_store".
    """

    reason: Literal["unknown", "too_many", "full", "not_possible", "no_store"]


@dataclass(frozen=True, slots=True)
class FlowReturned:
    """The flow that was called came back. values: its `returns`. Never comes from a phone: the engine makes it."""

    values: Mapping[str, str | int | float | bool] = field(default_factory=dict, repr=False)


Outcome = (
    Done
    | Gathered
    | NoInput
    | Connected
    | NotConnected
    | Recorded
    | HungUp
    | Failed
    | Served
    | NotServed
    | LeftByKey
    | AgentRung
    | LookedUp
    | NotLookedUp
    | Interrupted
    | Transferred
    | HttpAnswered
    | HttpFailed
    | ScriptEnded
    | ScriptFailed
    | CallbackBooked
    | CallbackRefused
    | ActedAsAgent
    | AgentRefused
    | FlowReturned
)


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Not an outcome of the flow: the switch carries the verb on by itself (a `Dial`), this worker is done
    with the call, and any worker receives it again, with the verb's outcome, when the verb has ended.
    """
