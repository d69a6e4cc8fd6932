"""Which test bed plays on which switch. The commands of the lab and the demo ask."""

from __future__ import annotations

from collections.abc import Mapping

from cordboard.lab.freeswitch_stage import FreeswitchStage
from cordboard.lab.stage import Stage
from cordboard.telephony.capabilities import SwitchName

SWITCH_NAMES: Mapping[SwitchName, str] = {"asterisk": "Asterisk", "freeswitch": "FreeSWITCH"}
"""As people write them."""

_STAGES: Mapping[SwitchName, type[Stage]] = {"asterisk": Stage, "freeswitch": FreeswitchStage}


def stage_on(switch: SwitchName) -> type[Stage]:
    """The class of its test bed. Starting a FreeSWITCH where there is none raises NoFreeswitch."""
    return _STAGES[switch]
