"""What the team page shows supervisors: every agent, what they are and do, and why.

Pure, made from one reading of the floor; called by the feed's streams and the API. There is no caller in it: no
number, no name, no note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cordboard.acd.model import FloorPlan
from cordboard.desk.pause_times import pause_ends_at, pause_limits
from cordboard.store.acd_values import AgentView, FloorSnapshot


@dataclass(frozen=True, slots=True)
class Member:
    """One agent. The fields are those of `desk_page.Me`, but `forced_by` is the key of who it was.

    phone: the state of their device, "unavailable" if it is not registered; queue: of the call they are offered,
    have or wrap up, "" for none. calls_today, talk_s_today: since midnight.
    """

    agent: str
    name: str
    presence: str
    reason: str
    presence_since_at: float
    forced_by: str
    pause_ends_at: float | None
    activity: str
    activity_since_at: float
    missed: str
    phone: str
    device: str
    queue: str
    queues: tuple[str, ...]
    calls_today: int
    talk_s_today: float


@dataclass(frozen=True, slots=True)
class TeamPage:
    """Everybody, in the order of the configuration. pause_limits: in words, of those reasons that have any."""

    members: tuple[Member, ...]
    pause_reasons: tuple[str, ...]
    pause_limits: Mapping[str, tuple[str, ...]]


def team_page(snapshot: FloorSnapshot, plan: FloorPlan) -> TeamPage:
    """The page, with the agents that the configuration has now."""
    known = [view for view in snapshot.agents if view.name in plan.agents]
    return TeamPage(
        members=tuple(_member(view, snapshot.at, plan) for view in known),
        pause_reasons=plan.pause_reasons,
        pause_limits=pause_limits(plan),
    )


def _member(view: AgentView, at: float, plan: FloorPlan) -> Member:
    agent = plan.agents[view.name]
    return Member(
        agent=view.name,
        name=view.full_name,
        presence=view.presence,
        reason=view.presence_reason,
        presence_since_at=view.presence_since_at,
        forced_by=view.forced_by,
        pause_ends_at=pause_ends_at(view, at),
        activity=view.activity,
        activity_since_at=view.activity_since_at,
        missed=view.missed or "",
        phone=view.device,
        device=agent.device,
        queue=view.offer.queue if view.offer else "",
        queues=agent.queues,
        calls_today=view.calls_today,
        talk_s_today=round(view.talk_s_today),
    )
