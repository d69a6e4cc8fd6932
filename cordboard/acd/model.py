"""What the ACD is about: queues and agents as configured, their live state, offers, and words for how they end.

Presence is what a person chose, activity is what the system sees; the two are never mixed. Times named `..._at` are
seconds since 1970 (what people see, what the ledger keeps); times named `..._until` are seconds of the boot clock
(`Moment.boot`), which nobody can set, for leases and deadlines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cordboard.acd.callback_policy import CallbackPolicy, CutOffPolicy
from cordboard.acd.capacity import WHOLE, Contact, Medium
from cordboard.acd.compat_rules import CompatRules
from cordboard.acd.waiting_rules import (
    AtClosing,
    EmptyFactor,
    OverflowStep,
    PeriodicAnnouncement,
    WaitAnnouncement,
)
from cordboard.acd.waiting_rules import PositionAnnouncement as PositionAnnouncement
from cordboard.config.opening_hours import OpeningHours
from cordboard.telephony.needs import LAST_AGENT as LAST_AGENT
from cordboard.telephony.needs import Needs as Needs
from cordboard.telephony.needs import RelaxStep as RelaxStep
from cordboard.telephony.ports import DeviceState

UTC = ZoneInfo("UTC")
Strategy = Literal[
    "longest_idle",
    "fewest_calls",
    "least_talk_time",
    "round_robin",
    "in_order",
    "random",
    "weighted_random",
    "ring_all",
    "top_down",
    "best_skill",
    "compat:ringall",
    "compat:leastrecent",
    "compat:fewestcalls",
    "compat:random",
    "compat:rrmemory",
    "compat:rrordered",
    "compat:linear",
    "compat:wrandom",
]
ServiceLevelFormula = Literal[
    "of_offered", "answered_only", "ans_plus_aban", "excl_short_aban", "excl_aban_in_t", "incl_flowout"
]
WrapUpMode = Literal["fixed", "extendable", "mandatory"]
RonaThen = Literal["pause", "rest", "nothing"]
PauseThen = Literal["nothing", "available", "logged_out"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment on two clocks. wall: seconds since 1970; boot: seconds since this machine booted."""

    wall: float
    boot: float


class Presence(StrEnum):
    """What the agent chose."""

    AVAILABLE = "available"
    PAUSED = "paused"
    LOGGED_OUT = "logged_out"


class Activity(StrEnum):
    """What the system has the agent do. OFFERED: a call is theirs, their phone does not ring yet."""

    IDLE = "idle"
    OFFERED = "offered"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"


class OfferState(StrEnum):
    """ANSWERED: the agent has picked up and hears the whisper, or has yet to press the accept key."""

    OFFERED = "offered"
    RINGING = "ringing"
    ANSWERED = "answered"
    TALKING = "talking"
    ENDED = "ended"


class OfferEnd(StrEnum):
    """How an offer ended. SERVED: they talked. The causes in `RONA` count against the agent, the others do not."""

    SERVED = "served"
    NO_ANSWER = "no_answer"
    BUSY = "busy"  # 486
    REJECTED = "rejected"  # 603
    UNAVAILABLE = "unavailable"  # 480
    UNREGISTERED = "unregistered"
    DECLINED = "declined"  # another key than the accept key
    NO_KEY = "no_key"  # picked up, pressed nothing
    LEFT_WHISPER = "left_whisper"  # picked up, hung up before accepting
    CALLER_LEFT = "caller_left"
    WITHDRAWN = "withdrawn"  # the caller's worker did not ring the phone in time, or was lost before it did
    FAILED = "failed"  # the switch could not ring the device for a reason of its own
    TAKEN = "taken"  # of several agents who were rung at once another one has the call


RONA = frozenset(
    {
        OfferEnd.NO_ANSWER, OfferEnd.BUSY, OfferEnd.REJECTED, OfferEnd.UNAVAILABLE, OfferEnd.UNREGISTERED,
        OfferEnd.DECLINED, OfferEnd.NO_KEY, OfferEnd.LEFT_WHISPER,
    }
)  # fmt: skip


class LeftBecause(StrEnum):
    """Why a caller is not in the queue any more; each is a bucket of its own in the key figures.

    LOST: the switch or the machine went down under the call. OVERFLOW: moved on by the queue's rules. CALLBACK:
    hung up, and keeps the place as a callback. CUT_OFF: dropped while waiting, and did not come back in time.
    """

    SERVED = "served"
    ABANDONED = "abandoned"
    MAX_WAIT = "max_wait"
    EXIT_KEY = "exit_key"
    EMPTY = "empty"
    CLOSED = "closed"
    OVERFLOW = "overflow"
    CALLBACK = "callback"
    CUT_OFF = "cut_off"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Membership:
    """What an agent is in one queue. penalty: of `compat:` strategies; weight: of `weighted_random`; tier: lower is
    tried first by `top_down`; place: in the order of agents.yaml.
    """

    penalty: int = 0
    weight: int = 1
    tier: int = 1
    place: int = 0


@dataclass(frozen=True, slots=True)
class AcceptStep:
    """What an agent must do after picking up. key: "" joins the two at once; within_s: to press it, after the
    whisper; whisper: what only the agent hears first, by language, "" for nothing.
    """

    key: str = "1"
    within_s: float = 8.0
    whisper: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"


@dataclass(frozen=True, slots=True)
class RonaRule:
    """What one cause of a RONA means. then: it counts towards a pause, is only rested after, or neither.

    after: so many of this cause in a row are a pause, 0 for the policy's `pause_after` of all causes together;
    rest_s, return_after_s: None for the policy's.
    """

    then: RonaThen = "pause"
    after: int = 0
    rest_s: float | None = None
    return_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class RonaPolicy:
    """pause_after: failed offers in a row until the agent is paused (0: never); retry_after_s: rest after each.

    return_after_s: who was paused for it is available again by themselves after so long, 0.0 for never; causes:
    those for which something else holds.
    """

    pause_after: int = 2
    retry_after_s: float = 5.0
    return_after_s: float = 0.0
    causes: Mapping[OfferEnd, RonaRule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PauseRule:
    """Limits of one reason to pause. at_most_s: 0.0 for as long as they like; then: what follows that time;
    at_once: how many agents may be in it, 0 for any; exempt: agents for whom no limit holds.
    """

    at_most_s: float = 0.0
    then: PauseThen = "nothing"
    at_once: int = 0
    exempt: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue as configured. music: a class of the switch; dispositions: what agents may choose in wrap-up;
    short_abandon_s: who leaves sooner does not count in the service level `excl_short_aban`.

    not_again_s: so long a call goes to others first than to one who did not take it, 0.0 for no difference.
    weight: queues of a higher one get the agents they share with others first; ageing_s: how long a wait is worth
    one priority, 0.0 where only priority itself counts; at_most: talks at once, 0 for any number; needs: what its
    callers ask of an agent unless the flow says otherwise; compat: of a strategy of app_queue.
    wrap_up_mode: "fixed" ends by itself after `wrap_up_s`; "extendable" can be made longer, to `wrap_up_at_most_s`;
    "mandatory" lasts until a disposition is chosen, or `wrap_up_at_most_s` is over (0.0: without limit).
    wrap_up_early_exit: whether a disposition ends it before its time.

    max_waiting: callers at a time, 0 for any number. join_when_empty, leave_when_empty: what makes an agent count
    as nobody when somebody joins, and while they wait; with nothing in them no queue is empty. hours: when it takes
    callers in, None for always; at_closing: what becomes of those who wait then. announce_gap_s: from the end of
    one announcement to the next at least.

    medium, units: what comes to it, and how much of an agent each takes up (`capacity`).
    """

    name: str
    strategy: Strategy = "longest_idle"
    ring_s: float = 15.0
    max_wait_s: float = 600.0
    wrap_up_s: float = 20.0
    service_level_s: float = 20.0
    service_level_formula: ServiceLevelFormula = "of_offered"
    music: str = "default"
    accept: AcceptStep = field(default_factory=AcceptStep)
    rona: RonaPolicy = field(default_factory=RonaPolicy)
    announce: PositionAnnouncement = field(default_factory=PositionAnnouncement)
    dispositions: tuple[str, ...] = ()
    short_abandon_s: float = 5.0
    wrap_up_mode: WrapUpMode = "fixed"
    wrap_up_at_most_s: float = 0.0
    wrap_up_early_exit: bool = True
    weight: int = 0
    ageing_s: float = 0.0
    at_most: int = 0
    not_again_s: float = 0.0
    needs: Needs = field(default_factory=Needs)
    compat: CompatRules = field(default_factory=CompatRules)
    max_waiting: int = 0
    join_when_empty: frozenset[EmptyFactor] = frozenset()
    leave_when_empty: frozenset[EmptyFactor] = frozenset()
    hours: OpeningHours | None = None
    at_closing: AtClosing = "serve"
    overflow: tuple[OverflowStep, ...] = ()
    announce_wait: WaitAnnouncement = field(default_factory=WaitAnnouncement)
    announce_periodic: PeriodicAnnouncement = field(default_factory=PeriodicAnnouncement)
    announce_gap_s: float = 0.0
    callback: CallbackPolicy | None = None
    cut_off: CutOffPolicy | None = None
    medium: Medium = "voice"
    units: int = WHOLE

    @property
    def contact(self) -> Contact:
        """What one of them takes up of an agent."""
        return Contact(self.medium, self.units)


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as configured. name: the key in agents.yaml, used everywhere; full_name: what people read.

    device: what rings, in the switch's words ("PJSIP/1001"); queues: names, all known; skills: levels 1 to 10.
    is_admin: their desk shows the flows, too. is_supervisor: may change the state of others.
    code: what they key in on the telephone to say who they are, "" for none; numbers: those they call from.
    ways: where calls come in on several switches, what rings the phone for a caller of each; one that is missing
    cannot be joined to it. Empty where there is one switch. capacity: how many units of contacts they can have at a
    time, see `capacity`.
    """

    name: str
    full_name: str
    device: str
    queues: tuple[str, ...]
    is_admin: bool = False
    skills: Mapping[str, int] = field(default_factory=dict)
    memberships: Mapping[str, Membership] = field(default_factory=dict)
    is_supervisor: bool = False
    code: str = ""
    numbers: tuple[str, ...] = ()
    ways: Mapping[str, str] = field(default_factory=dict)
    capacity: int = 1

    def rung_from(self, switch: str) -> str:
        """What rings the phone for a caller on a switch; "" if the two cannot be joined. switch: "" for the only
        one.
        """
        return self.ways.get(switch, "") if switch and self.ways else self.device

    def calls_from(self, ani: str) -> bool:
        """Whether this is a number of theirs; as the trunk sends it, it may lack the plus sign."""
        digits = ani.removeprefix("+")
        return digits.isdigit() and digits in {number.removeprefix("+") for number in self.numbers}

    def membership(self, queue: str) -> Membership:
        """What the agent is in a queue."""
        return self.memberships.get(queue) or Membership()


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """Queues and agents of one configuration, swapped as a whole at a reload. pauses: the limits of those reasons
    that have any; zone: in which a day of agents' counts begins at midnight; switches: those that calls come in on.
    """

    queues: Mapping[str, Queue] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    pause_reasons: tuple[str, ...] = ("break", "lunch", "training")
    pauses: Mapping[str, PauseRule] = field(default_factory=dict)
    zone: ZoneInfo = UTC
    switches: tuple[str, ...] = ("asterisk",)
    _members: Mapping[str, tuple[Agent, ...]] = field(init=False, repr=False, compare=False)
    _is_shared: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the agents by queue once: who serves a queue is asked at every match."""
        members: dict[str, list[Agent]] = {}
        for agent in self.agents.values():
            for queue in dict.fromkeys(agent.queues):
                members.setdefault(queue, []).append(agent)
        object.__setattr__(self, "_members", {queue: tuple(agents) for queue, agents in members.items()})
        object.__setattr__(self, "_is_shared", any(queue.units != WHOLE for queue in self.queues.values()))

    @property
    def has_room_beside(self) -> bool:
        """Whether any agent could have something beside something else."""
        return self._is_shared

    @property
    def not_for_calls(self) -> list[str]:
        """Queues to which something else comes than calls."""
        return [name for name, queue in self.queues.items() if queue.medium != "voice"]

    def queue(self, name: str) -> Queue:
        """The queue as configured, or by default if a reload has taken it away under its calls."""
        return self.queues.get(name) or Queue(name)

    def agents_of(self, queue: str) -> tuple[Agent, ...]:
        """The agents of a queue, in the order of the file."""
        return self._members.get(queue, ())


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A waiting caller, as matching sees it. needs: as the caller entered with them, whatever was relaxed since;
    entered_boot: entered_at by the boot clock, None where that is not known.
    """

    entry_id: str
    call_id: str
    queue: str
    priority: int
    entered_at: float
    needs: Needs = field(default_factory=Needs)
    entered_boot: float | None = None


@dataclass(frozen=True, slots=True)
class AgentState:
    """An agent now. idle_since_at: when the agent became free for calls last; device: of the agent's device.

    blocked_until: no offer before this moment of the boot clock, after a failed one. held: what they have already,
    of a talk that leaves room beside it. calls_today, talk_s_today:
    since the day began; last_offered_at: when an offer was made to them last; last_call_ended_at: 0.0 for never.
    """

    agent: str
    presence: Presence = Presence.LOGGED_OUT
    activity: Activity = Activity.IDLE
    idle_since_at: float = 0.0
    blocked_until: float = 0.0
    device: DeviceState = DeviceState.UNKNOWN
    calls_today: int = 0
    talk_s_today: float = 0.0
    last_offered_at: float = 0.0
    last_call_ended_at: float = 0.0
    held: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """What a queue remembers from one choice to the next. last_agent: who was chosen last, "" for nobody yet.

    data: whatever else its strategy needs; only what JSON can say.
    """

    last_agent: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """A call for an agent, or for several who are rung at once. reason: why these, in words an admin understands;
    memory: what the queue remembers from now on.
    """

    call: WaitingCall
    agents: tuple[str, ...]
    reason: str
    memory: Memory

    @property
    def agent(self) -> str:
        """The agent, where there is one."""
        return self.agents[0]


@dataclass(frozen=True, slots=True)
class OfferResult:
    """How a switch says an offer's ringing went. end: SERVED if they were joined.

    joined_at: seconds since 1970, None if they were not joined; ended_at: when the switch noticed the end.
    """

    offer_id: str
    end: OfferEnd
    joined_at: float | None
    ended_at: float
