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

_ASTERISK: dict[str, str] = {}  # the reference: what it cannot do is not in the language

_FREESWITCH = {
    PLACE_PRIORITY: "its extensions have no priorities: write the destination as `context,extension,1`",
}

LACKING: Mapping[SwitchName, Mapping[str, str]] = {"asterisk": _ASTERISK, "freeswitch": _FREESWITCH}
"""By switch: the features it lacks, and why, for people."""

UNSPOKEN: Mapping[SwitchName, frozenset[str]] = {
    "asterisk": frozenset(),
    "freeswitch": frozenset(["cs", "da", "is", "ka", "no", "ur", "vi"]),
}
"""By switch: the languages it has no rule for (no mod_say), of those in which flows leave values to the switch.
Whether the sounds are there `doctor` looks.
"""

assert set(LACKING) == set(get_args(SwitchName))
