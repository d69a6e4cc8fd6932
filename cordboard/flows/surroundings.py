"""What a flow may refer to outside its own file. Made from the settings, given to the loader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cordboard.config.needs_checks import QueueSkills
from cordboard.flows.conditions import Kind
from cordboard.telephony.capabilities import SwitchName
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.reach import Reach


@dataclass(frozen=True, slots=True)
class MessageBox:
    """A voicemail box of the settings, as far as a flow cares: where its messages go.

    mailbox: "100@default" gives the caller to the PBX's own voicemail; "" records into `folder`.
    folder:  under the voicemail root; the box's name if left empty.
    """

    name: str
    mailbox: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class SubflowShape:
    """What a flow that can be called wants and gives, by name, with types."""

    params: Mapping[str, Kind]
    returns: Mapping[str, Kind]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScriptShape:
    """A script of the settings: what it wants and gives, by name, with types. secrets: parameters that take digits
    of a secret gather, and nothing else does.
    """

    params: Mapping[str, Kind]
    returns: Mapping[str, Kind]
    secrets: frozenset[str] = frozenset()
    timeout_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything outside a flow that its nodes may name.

    flow_names: flows of other files. zone: the time zone of flows that give none.
    queues:     names of all queues; None where their files have faults themselves, they are not checked then.
    not_for_calls: those of them to which something else comes than calls.
    customer_fields: what the CRM tells of a customer, with types; {} without a CRM, None where its file has faults.
    lookup_timeout_s: how long a caller waits for the CRM, if a node does not say.
    agents:     the device of each agent, by name; None where the file has faults.
    pause_reasons, dispositions: what agents may give for a pause, and say of a call of any queue; None as for
                `agents`.
    queue_skills: what can be asked for in each queue; not checked where it is None.
    subflows:   flows that can be called (`params` or `returns` in their frame).
    http_services: the web services that flows may ask, by name, and the seconds each may take if a node does not
                say. scripts: those of the settings.
    destinations: where calls can be transferred to, "context,extension,priority" by name.
    country:    of numbers without country code, "GB"; "" if nobody has said.
    switches:   those that calls come in on. reach: which phones their callers can be joined to; None if nobody has
                said.
    is_known:   False where the settings have faults themselves; extensions, boxes and queues are not checked then.
    """

    dial_policy: DialPolicy = field(default_factory=DialPolicy)
    voicemail_boxes: Mapping[str, MessageBox] = field(default_factory=dict)
    flow_names: frozenset[str] = frozenset()
    queues: frozenset[str] | None = frozenset()
    not_for_calls: frozenset[str] = frozenset()
    customer_fields: Mapping[str, Kind] | None = field(default_factory=dict)
    lookup_timeout_s: float = 0.8
    agents: Mapping[str, str] | None = field(default_factory=dict)
    pause_reasons: frozenset[str] | None = None
    dispositions: frozenset[str] | None = None
    queue_skills: Mapping[str, QueueSkills] | None = None
    subflows: Mapping[str, SubflowShape] = field(default_factory=dict)
    http_services: Mapping[str, float] = field(default_factory=dict)
    scripts: Mapping[str, ScriptShape] = field(default_factory=dict)
    destinations: Mapping[str, str] = field(default_factory=dict)
    country: str = ""
    zone: str = "UTC"
    switches: tuple[SwitchName, ...] = ("asterisk",)
    reach: Reach | None = None
    is_known: bool = True
