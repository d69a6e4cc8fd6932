"""What goes into the store of the ACD and what comes out of it, as plain values.

The waiting room, the observer and the desk use them; none of them holds a database row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cordboard.acd.joining import Refusal
from cordboard.acd.model import LeftBecause, Needs, OfferEnd, OfferState, PauseThen, Presence
from cordboard.telephony.ports import DeviceState

LookupStatus = Literal["pending", "found", "several", "none", "withheld", "failed"]


@dataclass(frozen=True, slots=True)
class Changes:
    """What others must hear of after a transaction. `a | b` is both.

    owners: workers that have a new offer to ring; changed: something the desk shows has changed. next_due_in_s:
    when the nearest deadline (wrap-up, rest after a failed offer, offer not rung yet) is due, so that somebody
    calls `sweep` then; None if none is known. overdue: offers whose phones must have stopped ringing long ago.
    Whoever can list legs should, and `reconcile`.
    """

    owners: frozenset[str] = frozenset()
    changed: bool = False
    next_due_in_s: float | None = None
    overdue: frozenset[str] = frozenset()

    def __or__(self, other: Changes) -> Changes:
        dues = [due for due in (self.next_due_in_s, other.next_due_in_s) if due is not None]
        return Changes(
            self.owners | other.owners,
            self.changed or other.changed,
            min(dues, default=None),
            self.overdue | other.overdue,
        )


NOTHING = Changes()


@dataclass(frozen=True, slots=True)
class Entering:
    """A caller who is to wait. entered_at: when the caller came to the queue, in seconds since 1970, which may be
    before now. owner: the worker that holds the call. entered_boot: the same as entered_at by the boot clock,
    reckoned from it if None. max_wait_s: how long the caller may wait in all; one who comes back after that leaves.
    None: for ever, as far as the store is concerned. needs: what the flow asks of an agent; a place keeps those it
    was entered with. identity: the mark of who the flow has found this to be (`acd.identity`), "" for nobody.
    visit: which step of its flow has it wait, as its checkpoint will say; came_as: the one with which the call has
    come from another worker, which may have died before it heard how that wait ended. 0 for none.
    """

    call_id: str
    leg_id: str
    switch: str
    queue: str
    language: str
    priority: int
    entered_at: float
    owner: str
    entered_boot: float | None = None
    max_wait_s: float | None = None
    needs: Needs = field(default_factory=Needs)
    identity: str = ""
    visit: int = 0
    came_as: int = 0


@dataclass(frozen=True, slots=True)
class OfferToRing:
    """A phone to ring now; the offer is marked as ringing already. also: whom to ring for the caller besides."""

    offer_id: str
    call_id: str
    entry_id: str
    agent: str
    device: str
    queue: str
    language: str
    also: tuple[OfferToRing, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldPlace:
    """A place as its holder knew it, for what is told late: it is about no other place, and about this one only if
    nobody has taken the call over since. fence: counts who held it; None for whoever did.
    """

    entry_id: str
    fence: int | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """A place in a queue. entered_at, entered_boot: the true time on both clocks, also after a retake. offer: to be
    rung at once. left: why there is no place any more; None if there is one. kind: `call`, `callback` or `cut_off`.
    queue: where the place is, which after an overflow is another one than was asked for; refused: why there never
    was one. key: pressed to leave, "" for none; told_place: which place in line the caller was told last, 0 for
    none.
    """

    entry_id: str
    fence: int
    entered_at: float
    offer: OfferToRing | None
    changes: Changes
    entered_boot: float = 0.0
    left: LeftBecause | None = None
    kind: str = "call"
    queue: str = ""
    refused: Refusal | None = None
    key: str = ""
    told_place: int = 0

    @property
    def held(self) -> HeldPlace:
        """The place, and that we hold it."""
        return HeldPlace(self.entry_id, self.fence)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules of a queue have made of a waiting call. left: why it has left; entered: its place in another
    queue; position: its place in line, where the queue tells of each change, 0 elsewhere.
    """

    call_id: str
    left: LeftBecause | None = None
    entered: Entered | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class CallerNote:
    """Who calls, as far as known. number: E.164, "" if withheld or unreadable; path: nodes entered, "flow/node"."""

    call_id: str
    ani: str = field(default="", repr=False)
    caller_name: str = field(default="", repr=False)
    dnis: str = ""
    number: str = field(default="", repr=False)
    path: tuple[str, ...] = ()
    lookup: LookupStatus = "pending"
    customer: Mapping[str, Any] = field(default_factory=dict, repr=False)
    arrived_at: float = 0.0


@dataclass(frozen=True, slots=True)
class OfferView:
    """The call an agent is offered, has, or wraps up; all an agent needs to see of it.

    reason: why this agent; wait_s: from entering the queue until joined (until now while not joined).
    wrap_up_left_s: None unless in wrap-up, or where that has no end of its own; dispositions: what may be chosen.
    needs_disposition: the wrap-up does not end without one; ends_early: a disposition ends it before its time;
    can_extend: there is more time to be had. Times in seconds since 1970.
    """

    offer_id: str
    call_id: str
    queue: str
    state: OfferState
    reason: str
    wait_s: float
    made_at: float
    ringing_at: float | None
    answered_at: float | None
    joined_at: float | None
    talk_ended_at: float | None
    wrap_up_left_s: float | None
    disposition: str
    note: str = field(repr=False)
    dispositions: tuple[str, ...]
    ani: str = field(repr=False)
    caller_name: str = field(repr=False)
    dnis: str
    number: str = field(repr=False)
    path: tuple[str, ...]
    lookup: LookupStatus
    customer: Mapping[str, Any] = field(repr=False)
    needs_disposition: bool = False
    ends_early: bool = True
    can_extend: bool = False


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent as the desk shows it.

    activity: an `Activity`, or "busy_elsewhere" (idle for us, but the phone is in use), or "unreachable" (idle, and
    the phone is not registered). missed: how the last offer failed, while the agent rests or is paused for it;
    rests_s: seconds until the next offer can come, 0.0 if that is now.

    device: what their phone can do, as the switch says; forced_by: who decided the presence for them, "" for they
    themselves; pause_left_s: how much of a pause with a limit is left, less than nothing if it is over;
    pause_then: what follows that, "nothing", "available" or "logged_out". calls_today, talk_s_today: from midnight.
    """

    name: str
    full_name: str
    presence: Presence
    presence_reason: str
    presence_since_at: float
    activity: str
    activity_since_at: float
    offer: OfferView | None
    missed: OfferEnd | None = None
    rests_s: float = 0.0
    device: DeviceState = DeviceState.UNKNOWN
    forced_by: str = ""
    pause_left_s: float | None = None
    pause_then: PauseThen = "nothing"
    calls_today: int = 0
    talk_s_today: float = 0.0


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue as the desk shows it. Counts and service level (0.0 to 1.0, None before the first call) are those of
    today, in the zone of the settings.

    agents: how many are in each shown activity; those who are not available count under their presence ("paused",
    "logged_out") while idle. longest_unoffered_s: the longest wait of those for whom no phone rings, 0.0 if there
    are none. elsewhere_today: callers who were sent elsewhere, by `service_level.FLOWED_OUT`.
    """

    name: str
    waiting: int
    longest_wait_s: float
    offered_today: int
    answered_today: int
    abandoned_today: int
    service_level: float | None
    agents: Mapping[str, int]
    longest_unoffered_s: float = 0.0
    elsewhere_today: int = 0


@dataclass(frozen=True, slots=True)
class FloorSnapshot:
    """Everything the desk shows, at one moment. at: seconds since 1970."""

    at: float
    queues: tuple[QueueView, ...]
    agents: tuple[AgentView, ...]

    def agent(self, name: str) -> AgentView | None:
        """One agent's view; None if there is no such agent."""
        return next((agent for agent in self.agents if agent.name == name), None)


@dataclass(frozen=True, slots=True)
class WhyLine:
    """One thing that happened to a call, in words. at: seconds since 1970."""

    at: float
    kind: str
    text: str
