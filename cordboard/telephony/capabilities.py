"""What each switch can do of what the flow language offers: a table, asked when a flow is loaded.

The settings say which switches calls come in on (`switches`); lint tells of everything one of them lacks, so that
no call finds out. A feature is a verb ("transfer"), an option of one ("dial.screen"), or a value of an option
("record.action=pause").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

SwitchName = Literal["asterisk", "freeswitch"]

PBX_MAILBOX = "voicemail.mailbox"
"""A voicemail box that is the PBX's own: known from the settings, not from the node."""

_ASTERISK: dict[str, str] = {}  # the reference: what it cannot do is not in the language

_FREESWITCH = {
    PBX_MAILBOX: "its voicemail has no `mailbox@context`: give the box a `folder:`",
    "transfer": "its dialplan has no priorities: there is no `context,extension,priority`",
    "queue.music": "it has no music classes",
}

LACKING: Mapping[SwitchName, Mapping[str, str]] = {"asterisk": _ASTERISK, "freeswitch": _FREESWITCH}
"""By switch: the features it lacks, and why, for people."""

assert set(LACKING) == set(get_args(SwitchName))
