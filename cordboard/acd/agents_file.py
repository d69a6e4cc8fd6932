"""`agents.yaml` as agents: who they are, what rings on their desk, which queues they serve.

    pause_reasons: [break, lunch, training]
    agents:
      alice: {name: Alice Ray, device: PJSIP/1001, queues: [sales, support], skills: {spanish: 4}}
      bob: {device: PJSIP/1002, queues: {sales: {weight: 3}, support: {penalty: 1, tier: 2}}}

Read by `floor_plan`, which also knows the queues.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from cordboard.acd.capacity_section import UNITS_MAX
from cordboard.acd.memberships_section import Memberships, memberships
from cordboard.acd.model import Agent, FloorPlan
from cordboard.acd.pauses_section import PauseReasons
from cordboard.acd.written_values import Label, Name, Names
from cordboard.config.needs_section import Skills
from cordboard.config.validation import Many, Section, Text, fault, written_as
from cordboard.telephony.dial_policy import DEVICE

FILE = "agents.yaml"

_LOCAL, _KEPT = "Local/", "/n"
_CODE = r"^[0-9]{2,12}$"
_NUMBER = r"^\+?[0-9]{2,15}$"


def _given(device: Any) -> Any:
    if device in (None, ""):
        raise fault(
            "bad-device", "the agent has no device", "write what rings on the desk, for instance PJSIP/1001"
        )
    return device


def _device(device: str) -> str:
    """One device. A Local channel must ask to be kept, with `/n`: else Asterisk takes it out of the way when
    it is joined with the caller, and the agent seems to be gone.
    """
    is_local = device.startswith(_LOCAL)
    if DEVICE.fullmatch(device.removesuffix(_KEPT) if is_local else device):
        if is_local and not device.endswith(_KEPT):
            raise fault(
                "bad-device", f"`{device}` vanishes when it is joined with the caller", f"write {device}{_KEPT}"
            )
        return device
    if any(separator in device for separator in "&,; "):
        raise fault("bad-device", f"`{device}` is not one device", "an agent has one, for instance PJSIP/1001")
    raise fault("bad-device", f"`{device}` is no device", "write for instance PJSIP/1001")


def _code(code: str) -> str:
    if not re.fullmatch(_CODE, code):
        raise fault(
            "out-of-range", f"`{code}` cannot be keyed in as a code", "write 2 to 12 digits, for instance 2101"
        )
    return code


def _number(number: str) -> str:
    if not re.fullmatch(_NUMBER, number):
        hint = "write an extension, 1004, or all digits with + and country code, +442079460123"
        raise fault("out-of-range", f"`{number}` is no number that somebody calls from", hint)
    return number


_CallsFrom = Annotated[Text, AfterValidator(_number), Field(json_schema_extra={"pattern": _NUMBER})]


class WrittenAgent(Section):
    """One agent as written. name: the key again if left out."""

    name: Label | None = Field(default=None, description="The name people see.")
    device: Annotated[Text, AfterValidator(_device), BeforeValidator(_given)] = Field(
        description="What rings on the agent's desk: `PJSIP/1001`, of Asterisk; `user/1001` or `sofia/...`, of "
        "FreeSWITCH."
    )
    queues: Names | Memberships = Field(
        default=(),
        description="The queues the agent serves: a list, or each with what the agent is in it, "
        "`{sales: {weight: 3}}`.",
    )
    skills: Skills = Field(
        default_factory=dict, description="What the agent can do, each with a level from 1 to 10."
    )
    admin: bool = Field(
        default=False,
        description="Whether the agent's desk shows the flows, too: what is live, what was refused, pictures.",
    )
    supervisor: bool = Field(
        default=False, description="Whether the agent's desk shows the team, and can change the state of others."
    )
    code: Annotated[Text, AfterValidator(_code), Field(json_schema_extra={"pattern": _CODE})] | None = Field(
        default=None, description="What the agent keys in to say who they are, where they call in by telephone."
    )
    numbers: Annotated[Many[_CallsFrom], Field(max_length=20)] = Field(
        default=(), description="The numbers the agent calls from: extensions, or with + and country code."
    )
    capacity: Annotated[int, Field(ge=1, le=UNITS_MAX)] = Field(
        default=1,
        description="How many units of contacts the agent can have at a time; a call takes all of them unless its "
        "queue says otherwise (`units`).",
    )

    def as_agent(self, key: str, place: int) -> Agent:
        """The agent. place: in the order of the file."""
        return Agent(
            key,
            self.name or key,
            self.device,
            tuple(self.queues),
            self.admin,
            skills=self.skills,
            memberships=memberships(self.queues, place),
            is_supervisor=self.supervisor,
            code=self.code or "",
            numbers=self.numbers,
            capacity=self.capacity,
        )


_AGENT = written_as(lambda device: f"{{device: {device or 'PJSIP/1001'}}}")
_AGENTS = written_as(lambda name: f"agents: {{{name or 'alice'}: {{device: PJSIP/1001}}}}")


class AgentsFile(Section):
    """All of `agents.yaml`."""

    agents: Annotated[dict[Name, Annotated[WrittenAgent, _AGENT]], _AGENTS] = Field(
        default_factory=dict, description="The agents, by the name they log in with."
    )
    pause_reasons: PauseReasons = Field(
        default=FloorPlan().pause_reasons, description="The reasons for a pause that agents can choose."
    )
