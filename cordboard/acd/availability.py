"""Whether an agent can be given a call, and what others are shown the agent does. Pure, from an `AgentState`.

Asked by matching, by the store where it looks for free agents, and by whatever shows the floor.
"""

from __future__ import annotations

from typing import Literal

from cordboard.acd.capacity import A_CALL, Contact, has_room
from cordboard.acd.model import Activity, AgentState, FloorPlan, Moment, Presence
from cordboard.telephony.ports import DeviceState

ShownActivity = Literal[
    "idle", "offered", "ringing", "talking", "wrap_up", "busy_elsewhere", "unreachable"
]  # an `Activity`, or what an idle agent's phone makes of it

# UNKNOWN counts as free: a switch that cannot tell a device's state would otherwise never ring it.
FREE_DEVICES = frozenset({DeviceState.IDLE, DeviceState.UNKNOWN})


def is_free(state: AgentState, plan: FloorPlan, now: Moment, wanted: Contact = A_CALL) -> bool:
    """Whether the agent may be offered something now. wanted: what; their phone counts for a call only."""
    return (
        state.presence is Presence.AVAILABLE
        and (state.activity is Activity.IDLE or (state.activity is Activity.TALKING and bool(state.held)))
        and state.blocked_until <= now.boot
        and (wanted.medium != "voice" or state.device in FREE_DEVICES)
        and state.agent in plan.agents
        and has_room(plan.agents[state.agent].capacity, state.held, wanted)
    )


def shown_activity(activity: Activity, device: DeviceState) -> ShownActivity:
    """What the agent does, as the floor shows it: an idle agent's phone may be busy with a direct call, or away."""
    if activity is not Activity.IDLE or device in FREE_DEVICES:
        return activity.value
    return "unreachable" if device is DeviceState.UNAVAILABLE else "busy_elsewhere"
