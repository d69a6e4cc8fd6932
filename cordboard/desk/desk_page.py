"""What an agent's page shows, made from one reading of the floor. Pure; called by the feed's streams and the API.

Only what is this agent's own: their call, their queues. Moments are seconds since 1970 and never "so many seconds
ago", so that the page runs its own clocks and the same state is the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cordboard.acd.model import FloorPlan, OfferState, Presence
from cordboard.crm.crm_file import CrmSettings
from cordboard.crm.screen_pop import screen_pop
from cordboard.desk.customer_card import CustomerCard, customer_card
from cordboard.desk.pause_times import pause_ends_at, pause_limits
from cordboard.desk.why_you import why_you
from cordboard.redaction import clean
from cordboard.store.acd_values import AgentView, FloorSnapshot, OfferView, QueueView

NOTE_MAX = 2_000  # characters; more belongs into the CRM
_UNJOINED = (OfferState.OFFERED, OfferState.RINGING, OfferState.ANSWERED)


@dataclass(frozen=True, slots=True)
class Me:
    """The agent. presence: what they chose; activity: what the system sees, as in `AgentView`.

    missed: how their last offer failed (an `OfferEnd`), while they rest or are paused for it, or ""; rests_until:
    when the next offer can come, None unless they rest. forced_by: the name of who chose the presence for them, ""
    for nobody; pause_ends_at: when a pause with a limit is over, or has been; pause_then: what follows by itself,
    "nothing", "available" or "logged_out".
    """

    agent: str
    name: str
    presence: str
    reason: str
    presence_since_at: float
    activity: str
    activity_since_at: float
    missed: str
    rests_until: float | None
    queues: tuple[str, ...]
    forced_by: str
    pause_ends_at: float | None
    pause_then: str


@dataclass(frozen=True, slots=True)
class Call:
    """The call of this agent, from the offer to the end of the wrap-up.

    state: offered, ringing, answered (picked up, not joined), talking, wrap_up; entered_at: into the queue;
    number: the caller's, as people read it, "" if withheld; caller_name: as the caller's telephone says; dialled:
    the number they dialled; wrap_up_ends_at: None until then. accept_key: to be pressed after picking up, "" for
    none. reason: why this agent, told to them. needs_disposition: the wrap-up lasts until one is chosen;
    ends_early: choosing one ends it; can_extend: there is more time to be had.
    """

    offer_id: str
    queue: str
    state: str
    reason: str
    entered_at: float
    offered_at: float
    joined_at: float | None
    talk_ended_at: float | None
    wrap_up_ends_at: float | None
    number: str
    caller_name: str
    dialled: str
    accept_key: str
    path: tuple[str, ...]
    customer: CustomerCard
    dispositions: tuple[str, ...]
    disposition: str
    note: str
    needs_disposition: bool
    ends_early: bool
    can_extend: bool


@dataclass(frozen=True, slots=True)
class QueueLine:
    """A queue of this agent, in short, without the caller who rings at this very desk.

    longest_since_at: since when the first of the others waits, None if none does.
    """

    name: str
    waiting: int
    longest_since_at: float | None


@dataclass(frozen=True, slots=True)
class DeskPage:
    """Everything on the page. pause_limits: in words, of those reasons that have any."""

    me: Me
    pause_reasons: tuple[str, ...]
    pause_limits: Mapping[str, tuple[str, ...]]
    call: Call | None
    queues: tuple[QueueLine, ...]


def desk_page(snapshot: FloorSnapshot, plan: FloorPlan, crm: CrmSettings | None, agent: str) -> DeskPage | None:
    """The page of an agent; None if the configuration has no such agent (any more)."""
    view, configured = snapshot.agent(agent), plan.agents.get(agent)
    if view is None or configured is None:
        return None
    return DeskPage(
        me=_me(view, plan, snapshot.at),
        pause_reasons=plan.pause_reasons,
        pause_limits=pause_limits(plan),
        call=_call(view, view.offer, plan, crm, snapshot.at) if view.offer else None,
        queues=tuple(_line(queue, view, snapshot) for queue in snapshot.queues if queue.name in configured.queues),
    )


def _me(view: AgentView, plan: FloorPlan, at: float) -> Me:
    rests = view.rests_s > 0 and view.presence is Presence.AVAILABLE
    return Me(
        agent=view.name,
        name=view.full_name,
        presence=view.presence,
        reason=view.presence_reason,
        presence_since_at=view.presence_since_at,
        activity=view.activity,
        activity_since_at=view.activity_since_at,
        missed=view.missed or "",
        rests_until=moment(at, -view.rests_s) if rests else None,
        queues=plan.agents[view.name].queues,
        forced_by=_name_of(view.forced_by, plan),
        pause_ends_at=pause_ends_at(view, at),
        pause_then=view.pause_then,
    )


def _name_of(who: str, plan: FloorPlan) -> str:
    """What people call whoever has changed a presence; some are no agents."""
    known = plan.agents.get(who)
    return known.full_name if known else who


def _call(view: AgentView, offer: OfferView, plan: FloorPlan, crm: CrmSettings | None, at: float) -> Call:
    left_s = offer.wrap_up_left_s
    queue = plan.queues.get(offer.queue)  # a reload may have taken it out since
    pop = screen_pop(
        crm, ani=offer.ani, caller_name=offer.caller_name, status=offer.lookup, customer=offer.customer
    )
    return Call(
        offer_id=offer.offer_id,
        queue=offer.queue,
        state="wrap_up" if offer.state == OfferState.ENDED else offer.state,
        reason=why_you(offer.reason, view.name),
        entered_at=moment(offer.joined_at or at, offer.wait_s),
        offered_at=offer.made_at,
        joined_at=offer.joined_at,
        talk_ended_at=offer.talk_ended_at,
        wrap_up_ends_at=None if left_s is None else moment(at, -left_s),
        number=pop.number,
        caller_name=pop.caller_name,
        dialled=clean(offer.dnis),
        accept_key=queue.accept.key if queue else "",
        path=offer.path,
        customer=customer_card(crm, pop),
        dispositions=offer.dispositions,
        disposition=offer.disposition,
        note=offer.note,
        needs_disposition=offer.needs_disposition,
        ends_early=offer.ends_early,
        can_extend=offer.can_extend,
    )


def _line(queue: QueueView, view: AgentView, snapshot: FloorSnapshot) -> QueueLine:
    if not _is_unjoined(view.offer, queue.name):
        return QueueLine(queue.name, queue.waiting, longest_since(queue, snapshot.at))
    others = [agent.offer for agent in snapshot.agents if agent.name != view.name]
    waits = [offer.wait_s for offer in others if offer is not None and _is_unjoined(offer, queue.name)]
    longest_s = max([queue.longest_unoffered_s, *waits])
    waiting = max(0, queue.waiting - 1)
    return QueueLine(queue.name, waiting, moment(snapshot.at, longest_s) if waiting else None)


def _is_unjoined(offer: OfferView | None, queue: str) -> bool:
    """Whether a caller of this queue waits for an agent to answer and accept."""
    return offer is not None and offer.queue == queue and offer.state in _UNJOINED


def longest_since(queue: QueueView, at: float) -> float | None:
    """Since when the first caller of a queue waits."""
    return moment(at, queue.longest_wait_s) if queue.waiting else None


def moment(at: float, ago_s: float) -> float:
    """A moment so long ago, to the tenth: two readings of one moment differ in microseconds, and must be one."""
    return round(at - ago_s, 1)
