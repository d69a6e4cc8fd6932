"""The `socket` application of a fake FreeSWITCH: a leg is given to a worker, which orders what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.doubles.fake_freeswitch.bridge import forever
from tests.doubles.fake_freeswitch.channel import FRAME_S, Channel, Gone
from tests.doubles.fake_freeswitch.connection import Connection

if TYPE_CHECKING:
    from tests.doubles.fake_freeswitch.switch import FakeFreeswitch


async def socket(channel: Channel, argument: str, switch: FakeFreeswitch) -> None:
    """`HOST:PORT|HOST:PORT async full`: the first that listens. Raises Gone."""
    for host in argument.split(" ")[0].split("|"):
        if (connection := await switch.connect(channel, host)) is not None:
            await control(channel, connection, switch.speak_s)
            return


async def control(channel: Channel, connection: Connection, speak_s: float) -> None:
    """Run what the worker orders, until it lets go. One that never speaks is let go of, and the leg is not."""
    try:
        await _until_connected(channel, connection, speak_s)
        channel.tell("CHANNEL_PARK")
        while not connection.closed.is_set():
            channel.key()
            await channel.frame()
    except Gone:
        if channel.interruption != "cut":
            raise
        channel.interruption = ""
    finally:
        channel.tell("CHANNEL_UNPARK")


async def _until_connected(channel: Channel, connection: Connection, speak_s: float) -> None:
    left_s = speak_s
    while not connection.is_connected.is_set() and not connection.closed.is_set():
        await channel.frame()
        left_s -= FRAME_S
        if left_s <= 0:
            connection.say_goodbye()
            await forever(channel)
