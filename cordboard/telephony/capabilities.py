"""What each switch can do of what the flow language offers: a table, asked when a flow is loaded.

The settings say which switches calls come in on (`switches`); lint tells of everything one of them lacks, so that
no call finds out. A feature is a verb ("transfer"), an option of one ("dial.screen"), or a value of an option
("record.action=pause").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

SwitchName = Literal["asterisk", "freeswitch"]

PLACE_PRIORITY = "transfer.priority"
"""A destination that begins behind the first step of its extension: known from the settings, not from the node."""

DETECT_MACHINES = "callback.detect_machines"
AGENT_FIRST = "callback.dial=agent_first"
"""Of the callbacks of a queue: asked of the switch that the device of `outside:` belongs to."""

_ASTERISK: dict[str, str] = {}  # the reference: what it cannot do is not in the language

_FREESWITCH = {
    PLACE_PRIORITY: "its extensions have no priorities: write the destination as `context,extension,1`",
    DETECT_MACHINES: "it hears the tone behind a greeting, and not the greeting: write `detect_machines: false`",
    AGENT_FIRST: "no leg of it waits in the customer's stead: write `dial: customer_first`",
}

LACKING: Mapping[SwitchName, Mapping[str, str]] = {"asterisk": _ASTERISK, "freeswitch": _FREESWITCH}
"""By switch: the features it lacks, and why, for people."""

assert set(LACKING) == set(get_args(SwitchName))
