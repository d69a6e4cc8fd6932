"""Makes queues, free agents and waiting calls in a few words, for tests of matching."""

from __future__ import annotations

from collections.abc import Mapping

from cordboard.acd.model import Activity, Agent, AgentState, FloorPlan, Moment, Presence, Queue, WaitingCall

NOW = Moment(wall=1_795_435_200.0, boot=10_000.0)  # a Monday in November 2026, noon UTC


def plan_of(agents: Mapping[str, str], queues: str = "") -> FloorPlan:
    """A plan from agents with their queues: {"alice": "sales support"}; queues: more of them."""
    names = {name: None for served in (queues, *agents.values()) for name in served.split()}
    return FloorPlan(
        queues={name: Queue(name) for name in names},
        agents={
            name: Agent(name, name.title(), f"PJSIP/{1001 + place}", tuple(served.split()))
            for place, (name, served) in enumerate(agents.items())
        },
    )


def free_agent(name: str, idle_s: float = 60.0) -> AgentState:
    """An agent who has been free for so long."""
    return AgentState(name, Presence.AVAILABLE, Activity.IDLE, idle_since_at=NOW.wall - idle_s)


def waiting(call_id: str, queue: str, wait_s: float = 30.0, priority: int = 0) -> WaitingCall:
    """A caller who has waited for so long."""
    return WaitingCall(f"entry-{call_id}", call_id, queue, priority, NOW.wall - wait_s)
