"""Callers whom nobody has any more: parked in silence, or between two states without a way on. Fetched back.

It takes a worker that died in the very moment in which two were joined, or a hand on the switch, to leave a caller
so; the dead-man timer and the dialplan's loop see to all else. Called by the process that observes the switch, each
time it has compared what lives. A caller is fetched who is found so twice: for a moment that is a part of joining.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from cordboard.errors import SwitchError
from cordboard.telephony.call_id import is_call_id
from esl_apps import agent_legs, variables

SURE_S = 2.0  # a join takes some 20 ms

_STILL = frozenset({"CS_PARK", "CS_HIBERNATE", "CS_RESET"})
_log = structlog.get_logger(__name__)


class RescuedSwitch(Protocol):
    """What the rescue asks of the switch."""

    async def channels(self) -> list[dict[str, str]]: ...

    async def variable(self, leg_id: str, name: str) -> str: ...

    async def redirect(self, leg_id: str, *, context: str, extension: str) -> bool: ...


async def rescue_callers(switch: RescuedSwitch, sure_s: float = SURE_S) -> int:
    """Send callers with whom nothing is done back into the loop; how many. What cannot be asked is asked later."""
    try:
        suspects = still_callers(await switch.channels())
        if not suspects:
            return 0
        await asyncio.sleep(sure_s)
        lost = suspects & still_callers(await switch.channels())
        return sum([await _fetch(switch, leg_id) for leg_id in lost])
    except SwitchError as fault:
        _log.warning("callers_not_looked_for", reason=str(fault))
        return 0


def still_callers(rows: Sequence[Mapping[str, str]]) -> set[str]:
    """The channels that do nothing and are joined with nobody."""
    joined = {row["call_uuid"] for row in rows if row["call_uuid"] != row["uuid"]}
    return {row["uuid"] for row in rows if _is_still(row) and row["uuid"] not in joined}


def _is_still(row: Mapping[str, str]) -> bool:
    if agent_legs.offer_of(row["uuid"]) or row["call_uuid"] not in ("", row["uuid"]):
        return False
    return row["application"] == "park" or row["state"] in _STILL


async def _fetch(switch: RescuedSwitch, leg_id: str) -> bool:
    """Whether it was a caller of ours, and is on the way."""
    if not is_call_id(await switch.variable(leg_id, variables.CALL)):
        return False
    extension, _, context = variables.LATE.split()
    if not await switch.redirect(leg_id, context=context, extension=extension):
        return False
    _log.warning("caller_rescued", leg_id=leg_id)
    return True
