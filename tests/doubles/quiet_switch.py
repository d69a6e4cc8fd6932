"""A switch with nothing on it, for the observer: a test tells what happens on it, and sees what it has to end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cordboard.telephony.ports import AgentLeg, AgentLegEvent, DeviceState, Leg


@dataclass
class QuietSwitch:
    """tell, tell_device, hangs_up: who wants to hear of agents' legs, devices and callers that leave."""

    is_connected: bool = True
    ended: list[str] = field(default_factory=list)
    tell: Callable[[AgentLegEvent], None] = lambda _: None
    tell_device: Callable[[str, DeviceState], None] = lambda _, __: None
    hangs_up: Callable[[str], None] = lambda _: None

    def on_connected(self, callback: Callable[[], Awaitable[None] | None]) -> None: ...

    def on_agent_leg(self, callback: Callable[[AgentLegEvent], None]) -> None:
        self.tell = callback

    def on_device_state(self, callback: Callable[[str, DeviceState], None]) -> None:
        self.tell_device = callback

    def on_caller_hangup(self, callback: Callable[[str], None]) -> None:
        self.hangs_up = callback

    async def list_legs(self) -> Sequence[Leg]:
        return []

    async def agent_legs(self) -> Sequence[AgentLeg]:
        return []

    async def device_states(self) -> Mapping[str, DeviceState]:
        return {}

    async def hang_up(self, leg_id: str) -> bool:
        self.ended.append(leg_id)
        return True
