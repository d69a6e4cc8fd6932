"""What a flow may refer to outside its own file. Made from the settings, given to the loader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cordboard.telephony.dial_policy import DialPolicy


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
class Surroundings:
    """Everything outside a flow that its nodes may name.

    flow_names: flows of other files. zone: the time zone of flows that give none.
    is_known:   False where the settings have faults themselves; extensions and boxes are not checked then.
    """

    dial_policy: DialPolicy = field(default_factory=DialPolicy)
    voicemail_boxes: Mapping[str, MessageBox] = field(default_factory=dict)
    flow_names: frozenset[str] = frozenset()
    zone: str = "UTC"
    is_known: bool = True
