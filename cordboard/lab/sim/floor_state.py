"""What a simulated floor holds: the rows of the store as plain values, and its ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import (
    Activity,
    AgentState,
    Moment,
    Needs,
    OfferEnd,
    OfferState,
    Presence,
    WaitingCall,
)
from cordboard.acd.rona import RonaCounts
from cordboard.acd.transitions import ActivityFact, OfferFact, activity_after, offer_after
from cordboard.telephony.ports import DeviceState


@dataclass(frozen=True, slots=True)
class Caller:
    """A call that comes to a queue."""

    call_id: str
    queue: str
    priority: int = 0
    language: str = "en"
    needs: Needs = field(default_factory=Needs)


@dataclass(slots=True)
class Place:
    """A place in a queue. state: as in the store's `queue_entries`."""

    waiting: WaitingCall
    language: str
    state: str = "waiting"
    offers: list[Offer] = field(default_factory=list)  # the open ones

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self.waiting.queue


@dataclass(slots=True, eq=False)
class Offer:
    """One call proposed to one agent."""

    offer_id: str
    place: Place
    agent: str
    made_at: float
    state: OfferState = OfferState.OFFERED
    ringing_at: float | None = None
    answered_at: float | None = None
    joined_at: float | None = None
    talk_ended_at: float | None = None
    disposition: str = ""

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self.place.queue

    @property
    def call_id(self) -> str:
        """The caller's."""
        return self.place.waiting.call_id

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

    def is_ready(self, now: Moment) -> bool:
        """Whether they may be offered a call."""
        is_free = self.presence is Presence.AVAILABLE and self.activity is Activity.IDLE
        return is_free and self.blocked_until <= now.boot

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


class Ledger:
    """What happened, as in the store."""

    def __init__(self) -> None:
        self.rows: list[LedgerRow] = []

    def tell_place(self, kind: str, place: Place, at: float, **data: Any) -> None:
        """Something that happens to a place."""
        call = place.waiting
        self._tell(f"{call.entry_id}:{kind}", at, kind, call.call_id, call.entry_id, "", call.queue, "", data)

    def tell_offer(self, kind: str, offer: Offer, at: float, **data: Any) -> None:
        """Something that happens to an offer."""
        call = offer.place.waiting
        event_id = f"{offer.offer_id}:{kind}"
        self._tell(event_id, at, kind, call.call_id, call.entry_id, offer.offer_id, call.queue, offer.agent, data)

    def tell_agent(self, kind: str, agent: str, at: float, **data: Any) -> None:
        """Something an agent does."""
        self._tell(f"{agent}:{kind}:{at:.6f}", at, kind, "", "", "", "", agent, data)

    def tell_ended(self, offer: Offer, end: OfferEnd, at: float, ring_s: float) -> None:
        """The end of an offer."""
        self.tell_offer("offer_ended", offer, at, end=end.value, ring_s=ring_s)

    def _tell(self, event_id: str, at: float, kind: str, *about: Any) -> None:
        call_id, entry_id, offer_id, queue, agent, data = about
        row = LedgerRow(len(self.rows) + 1, event_id, at, kind, call_id, entry_id, offer_id, queue, agent, "", data)
        self.rows.append(row)
