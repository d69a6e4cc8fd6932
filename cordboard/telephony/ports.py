"""The two ports every switch edge implements: `Phone` (one caller's call) and `Switch` (the whole PBX).

The service drives a call through its Phone; it never sees a protocol. Edges translate their libraries'
errors into `SwitchError`s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from cordboard.telephony.call import Call
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.outcomes import HandedOver, HungUp, Outcome
from cordboard.telephony.verbs import OutsideNumber, Prompt, Verb

CHECKPOINT_MAX_BYTES = 512  # Asterisk cuts longer values of a channel variable set over AGI


class Phone(Protocol):
    """One arriving call, held by one worker."""

    @property
    def arrival(self) -> Arrival:
        """The call as it reached this worker."""

    async def perform(self, verb: Verb, checkpoint: str) -> Outcome | HandedOver:
        """Carry out one verb, after noting `checkpoint` on the channel.

        checkpoint: at most 512 bytes of `[A-Za-z0-9._~:-]`; where the call resumes if this worker dies.
        Raises SwitchUnavailable when the link to the call is lost (the call itself may live on elsewhere),
        SwitchProtocolError when the other side breaks the protocol. Never waits without a deadline.
        """

    async def hand_over(self, checkpoint: str) -> None:
        """Let go of the call between two verbs: any worker receives it again and resumes at `checkpoint`."""

    async def abandon(self) -> None:
        """Let go of the call for good: the switch takes it to the safe destination."""

    async def stay(self, longest_s: float, checkpoint: str) -> HungUp | None:
        """Do nothing with the call for up to `longest_s`: after a `Hold` the music plays on.

        Returns `HungUp` as soon as the caller leaves, None when the time is over. May be cancelled at any moment,
        and the call is still ours then. Raises SwitchUnavailable when the link to the call is lost.
        """

    def let_go(self) -> None:
        """Let go of the call in the middle of whatever is done with it, an announcement for instance: it stops
        within milliseconds, and any worker receives the call again where it last stood.
        """


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a call reached a worker.

    checkpoint: "" for a new call; otherwise what the last worker noted.
    returned:   the outcome of a verb that was handed over and has ended since, if any.
    ended:      the caller has gone; the call comes only to be closed.
    """

    call: Call
    checkpoint: str = ""
    returned: Outcome | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A prompt on the switch's disk. path: absolute, without extension; duration_s: measured from the file."""

    path: str
    duration_s: float


class HoldKeys(Protocol):
    """Keys that callers press while they are on hold; nobody hears of any other."""

    def hear_keys(self, leg_id: str, heard: Callable[[str], None]) -> None:
        """Call this with each key of a leg while it is on hold with keys (`Hold.keys`), until `forget_keys`."""

    def forget_keys(self, leg_id: str) -> None:
        """Hear nothing more of a leg."""


class Sounds(Protocol):
    """Where an edge finds what it has to play."""

    def find(self, prompt: Prompt) -> SoundFile | None:
        """The file for a prompt; None if there is neither a recording nor spoken text. Never waits."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One live channel of a switch. leg_id: its unique id; call_id: ours, "" where the leg is none of ours."""

    leg_id: str
    channel: str
    call_id: str
    state: str
    started_at: datetime | None = None


class DeviceState(StrEnum):
    """What a device can do now."""

    IDLE = "idle"
    RINGING = "ringing"
    IN_USE = "in_use"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AgentLegEvent:
    """What an agent's leg does, as the switch reports it the moment it happens.

    kind: "ringing" (the phone is about to ring), "answered" (picked up), "joined" (the two talk), "gone" (the leg
    has ended, however, also by a transfer), "refused" (of several phones that ring at once this one does not any
    more: nobody talks there; result: why, as in `AgentRung`). caller_leg_id: "" where the switch does not say.
    at: seconds since 1970 by the switch's clock. ended_by: of one that is gone, who ended the talk: "agent",
    "caller", "blind_transfer", "attended_transfer" (the agent passed the caller on), "" where the switch does not
    say.
    """

    kind: Literal["ringing", "answered", "joined", "gone", "refused"]
    offer_id: str
    leg_id: str
    caller_leg_id: str
    at: float
    ended_by: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class AgentLeg:
    """A live leg of an agent. joined_at: None while they do not talk yet."""

    offer_id: str
    leg_id: str
    caller_leg_id: str
    joined_at: float | None


@dataclass(frozen=True, slots=True)
class CallEvent:
    """What a switch tells of a call the moment it happens.

    kind: "left" (the caller's leg has ended, and nobody hung up), "machine" (a customer who is called back did not
    pick up, a machine did), "gone" (they did, and hung up before anything else), "not_reached" (an agent had taken
    the call, and heard the customer's phone ring in vain).
    cause: Q.850, 0 if it is not known; at: seconds since 1970 by the switch's clock.
    """

    kind: Literal["left", "machine", "gone", "not_reached"]
    call_id: str
    cause: int
    at: float


@dataclass(frozen=True, slots=True)
class CustomerLeg:
    """A leg to be made for a call of ours, to somebody who is called back. call_id: what it enters the service
    with.

    detect_machines: end it where an answering machine picks up. agent_first: the leg waits in the customer's stead,
    who is rung when an agent has taken the call.
    """

    leg_id: str
    call_id: str
    customer: OutsideNumber
    ring_s: float
    detect_machines: bool = False
    agent_first: bool = False


class Switch(Protocol):
    """A whole PBX, reached over its control link."""

    @property
    def is_connected(self) -> bool:
        """Whether commands can be sent now."""

    async def originate(
        self,
        leg_id: str,
        device: str,
        *,
        context: str,
        extension: str,
        ring_s: float,
        variables: Mapping[str, str] | None = None,
        caller_id: str = "",
    ) -> HangupCause | None:
        """Ring a device and, when it answers, send it to the dialplan. `leg_id` becomes the channel's id.

        caller_id: the number that is shown where it rings, "" for the switch's own.

        Returns None when answered, else why not. Raises OutcomeUnknown if the link died after sending.
        """

    async def call_back(self, leg: CustomerLeg) -> HangupCause | None:
        """Make such a leg; once it is there it arrives like any call. Returns and raises as `originate`."""

    async def hang_up(self, leg_id: str, cause: HangupCause = HangupCause.NORMAL) -> bool:
        """End a leg. False if there is no such leg any more."""

    async def redirect(self, leg_id: str, *, context: str, extension: str) -> bool:
        """Send a leg elsewhere in the dialplan. False if there is no such leg any more."""

    async def list_legs(self) -> Sequence[Leg]:
        """All live channels."""

    async def device_states(self) -> Mapping[str, DeviceState]:
        """The state of every device the switch knows, by device name ("PJSIP/1001")."""

    async def agent_legs(self) -> Sequence[AgentLeg]:
        """The live legs of agents that belong to an offer."""
