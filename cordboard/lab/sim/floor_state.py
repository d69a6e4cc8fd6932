"""What a simulated floor holds: the rows of the store as plain values. `books` has them all together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cordboard.acd.callback_policy import CallbackPolicy
from cordboard.acd.model import Activity, AgentState, Moment, Needs, OfferState, Presence, WaitingCall
from cordboard.acd.rona import RonaCounts
from cordboard.acd.transitions import ActivityFact, OfferFact, activity_after, offer_after
from cordboard.telephony.ports import DeviceState


@dataclass(frozen=True, slots=True)
class Caller:
    """A call that comes to a queue. number: who calls, "" for nobody one could call back."""

    call_id: str
    queue: str
    priority: int = 0
    language: str = "en"
    needs: Needs = field(default_factory=Needs)
    number: str = ""


@dataclass(slots=True, eq=False)
class Place:
    """A place in a queue. state, kind, asked_queue, held_until: as in the store's `queue_entries`; party: whose it
    is, by the number; answered_as: the call id under which an agent has picked up for it last; left_because: how
    its caller left the queue, also for a talk; own_needs: without what the queue asks of everybody.
    """

    waiting: WaitingCall
    language: str
    party: str = ""
    state: str = "waiting"
    kind: str = "call"
    asked_queue: str = ""
    held_until: float | None = None
    answered_as: str = ""
    left_because: str = ""
    own_needs: Needs = field(default_factory=Needs)
    offers: list[Offer] = field(default_factory=list)  # the open ones

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self.waiting.queue

    @property
    def call_id(self) -> str:
        """Of whoever has it now: the caller, who may call again, or the promise to call them back."""
        return self.waiting.call_id

    @property
    def entry_id(self) -> str:
        """Its own id."""
        return self.waiting.entry_id

    @property
    def needs_elsewhere(self) -> Needs:
        """What its caller would ask for in another queue."""
        return replace(self.own_needs, refused=self.waiting.needs.refused)

    @property
    def is_in_line(self) -> bool:
        """Whether it counts for the position of others."""
        return self.state not in ("talking", "left")

    def pass_on(self, call_id: str) -> None:
        """Give it to another call."""
        self.waiting = replace(self.waiting, call_id=call_id)


@dataclass(slots=True, eq=False)
class Promise:
    """Somebody who is to be called back; a row of the store's `callbacks`. call_id: of the call that asked for it;
    dialled_as: of the attempt under way, "" for none.
    """

    callback_id: str
    call_id: str
    place: Place
    party: str
    policy: CallbackPolicy
    expires_at: float
    reason: str = "asked"
    prefers_agent: str = ""
    state: str = "waiting"
    dialled_as: str = ""
    attempts: int = 0
    last_result: str = ""
    due_at: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A customer to be dialled now. call_id: what the leg enters with."""

    call_id: str
    queue: str
    number: str
    policy: CallbackPolicy


@dataclass(slots=True, eq=False)
class Offer:
    """One call proposed to one agent. call_id: of who had the place then."""

    offer_id: str
    place: Place
    call_id: str
    agent: str
    made_at: float
    state: OfferState = OfferState.OFFERED
    ringing_at: float | None = None
    answered_at: float | None = None
    joined_at: float | None = None
    talk_ended_at: float | None = None
    wrap_up_ended_at: float | None = None
    disposition: str = ""

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self.place.queue

    def learn(self, fact: OfferFact) -> bool:
        """Move on by the table of offers; False if the fact says nothing new."""
        state = offer_after(self.state, fact)
        self.state = state or self.state
        return state is not None

    def ring_s(self, ended_at: float) -> float:
        """How long the phone rang: until it was picked up, or the end."""
        if self.ringing_at is None:
            return 0.0
        return max(0.0, (ended_at if self.answered_at is None else self.answered_at) - self.ringing_at)


@dataclass(slots=True)
class AgentAtDesk:
    """An agent. offer: the open one, or the one being wrapped up. Times as in `agent_states`."""

    name: str
    presence: Presence = Presence.LOGGED_OUT
    reason: str = ""
    activity: Activity = Activity.IDLE
    offer: Offer | None = None
    idle_since_at: float = 0.0
    blocked_until: float = 0.0
    wrap_up_until: float | None = None
    paused_until: float | None = None
    counts: RonaCounts = field(default_factory=RonaCounts)
    calls_today: int = 0
    talk_s_today: float = 0.0
    last_offered_at: float = 0.0
    last_call_ended_at: float = 0.0

    def learn(self, fact: ActivityFact) -> bool:
        """Move on by the table of activities; False if the fact says nothing new."""
        activity = activity_after(self.activity, fact)
        self.activity = activity or self.activity
        return activity is not None

    @property
    def is_idle(self) -> bool:
        """Whether they may be offered a call, or rest after one they did not take."""
        return self.presence is Presence.AVAILABLE and self.activity is Activity.IDLE

    def is_ready(self, now: Moment) -> bool:
        """Whether they may be offered a call now."""
        return self.is_idle and self.blocked_until <= now.boot

    def as_state(self) -> AgentState:
        """As matching sees them."""
        return AgentState(
            self.name,
            self.presence,
            self.activity,
            self.idle_since_at,
            self.blocked_until,
            DeviceState.IDLE,
            self.calls_today,
            self.talk_s_today,
            self.last_offered_at,
            self.last_call_ended_at,
        )
