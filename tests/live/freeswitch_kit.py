"""A FreeSWITCH for live tests: what they say where there is none, and callers with the words for it.

from tests.live.freeswitch_kit import freeswitch_running, needs_freeswitch

pytestmark = [pytest.mark.live, needs_freeswitch]

async with freeswitch_running(extra_dialplan=EXTENSIONS) as pbx: ...
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import pytest

from cordboard.errors import LabError
from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.freeswitch_sources import NoFreeswitch, find_freeswitch


@cache
def why_none() -> str:
    """Why there is no FreeSWITCH here; "" if there is one."""
    try:
        find_freeswitch()
    except (NoFreeswitch, LabError) as reason:
        return str(reason)
    return ""


@asynccontextmanager
async def freeswitch_running(**options: Any) -> AsyncIterator[LabFreeswitch]:
    """A lab FreeSWITCH, on which no channel may be left at the end. Skips where there is none."""
    if reason := why_none():
        pytest.skip(reason)
    async with LabFreeswitch(**options) as pbx:
        yield pbx
        await pbx.wait_for_no_channels()


def extension(number: str, *actions: str) -> str:
    """A dialplan extension. number: a regular expression; actions: "application data"."""
    lines = [
        f'<action application="{application}" data="{data}"/>'
        for application, _, data in (action.partition(" ") for action in actions)
    ]
    condition = f'<condition field="destination_number" expression="^{number}$">{"".join(lines)}</condition>'
    return f'<extension name="{number}">{condition}</extension>\n'
