"""A leg of a fake FreeSWITCH, from its first action to its last event."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING

from tests.doubles.fake_freeswitch import applications
from tests.doubles.fake_freeswitch.bridge import Bridge, stand_still, talk_joined
from tests.doubles.fake_freeswitch.channel import Channel, Gone, Order
from tests.doubles.fake_freeswitch.dialplan import expanded

if TYPE_CHECKING:
    from tests.doubles.fake_freeswitch.switch import FakeFreeswitch


async def live(switch: FakeFreeswitch, channel: Channel) -> None:
    """One thing after the other, until it hangs up or has nothing to do."""
    while not channel.cause:
        with contextlib.suppress(Gone):  # whoever interrupted it has said what is next
            await _next(switch, channel)
    await end(switch, channel)


async def talk(switch: FakeFreeswitch, leg: Channel, bridge: Bridge) -> None:
    """The life of a leg that was dialled by another one: it ends with the talk, unless it is sent elsewhere."""
    with contextlib.suppress(Gone):
        await bridge.talk(leg)
        leg.hang_up(by_us=True)
    await live(switch, leg)


async def _next(switch: FakeFreeswitch, channel: Channel) -> None:
    why, channel.interruption = channel.interruption, ""
    if why == "joined" and channel.bridge is not None:
        await talk_joined(channel, channel.bridge)
    elif why == "parked":
        await stand_still(channel)
    elif why == "moved":
        _move(switch, channel)
    elif channel.actions:
        application, argument = channel.actions.popleft()
        data = expanded(channel, argument, switch.answer)
        await applications.execute(switch, channel, Order(application, data))
    else:
        channel.hang_up(by_us=True)


def _move(switch: FakeFreeswitch, channel: Channel) -> None:
    channel.destination, channel.moved = channel.moved, ""
    channel.other_leg_id, channel.bridged_at = "", 0.0  # of the profile that ends here
    channel.came_at = time.time()
    channel.actions = deque(switch.dialplan.actions(channel))


async def end(switch: FakeFreeswitch, channel: Channel) -> None:
    """The last events, and the end of its sockets."""
    await switch.frame()
    channel.tell("CHANNEL_STATE")
    channel.tell("CHANNEL_STATE")
    if channel.channel_name.startswith("sofia/"):
        channel.variables["sip_hangup_disposition"] = channel.disposition
    if hook := channel.variables.get("api_hangup_hook"):
        switch.answer(hook)
    channel.tell("CHANNEL_HANGUP_COMPLETE", first=[("Hangup-Cause", channel.cause)])
    switch.forget(channel)
    channel.ended.set()
