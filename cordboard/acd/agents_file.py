"""`agents.yaml` as agents: who they are, what rings on their desk, which queues they serve.

    pause_reasons: [break, lunch, training]
    agents:
      alice: {name: Alice Ray, device: PJSIP/1001, queues: [sales, support]}

Read by `floor_plan`, which also knows the queues.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from cordboard.acd.model import Agent, FloorPlan
from cordboard.acd.written_values import Label, Labels, Name, Names
from cordboard.config.validation import Section, Text, fault
from cordboard.telephony.dial_policy import DEVICE

FILE = "agents.yaml"


def _device(device: str) -> str:
    if DEVICE.fullmatch(device):
        return device
    if any(separator in device for separator in "&,; "):
        raise fault("bad-device", f"`{device}` is not one device", "an agent has one, for instance PJSIP/1001")
    raise fault("bad-device", f"`{device}` is no device", "write for instance PJSIP/1001")


class WrittenAgent(Section):
    """One agent as written. name: the key again if left out."""

    name: Label | None = None
    device: Annotated[Text, AfterValidator(_device)]
    queues: Names = ()

    def as_agent(self, key: str) -> Agent:
        """The agent."""
        return Agent(key, self.name or key, self.device, self.queues)


class AgentsFile(Section):
    """All of `agents.yaml`."""

    agents: dict[Name, WrittenAgent] = Field(default_factory=dict)
    pause_reasons: Labels = FloorPlan().pause_reasons
