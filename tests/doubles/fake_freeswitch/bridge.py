"""Two legs of a fake FreeSWITCH in a talk: how it begins, how it ends, and what becomes of each of them then."""

from __future__ import annotations

import asyncio
import time

from tests.doubles.fake_freeswitch.channel import FRAME_S, Channel, Gone

LATER_S = 3 * FRAME_S  # by then the other side has gone on


class Bridge:
    """originator: whose leg tells of it."""

    def __init__(self, originator: Channel, other: Channel) -> None:
        self.originator = originator
        self.other = other
        self._come = {one.leg_id: asyncio.Event() for one in (originator, other)}
        self._over = asyncio.Event()

    def begin(self) -> None:
        """They belong together from now on."""
        for one, peer in ((self.originator, self.other), (self.other, self.originator)):
            one.other_leg_id, one.call_id = peer.leg_id, self.originator.leg_id

    async def talk(self, channel: Channel) -> None:
        """One side of it, until either side leaves. Raises Gone on who has to leave."""
        self._come[channel.leg_id].set()
        peer = self.other if channel is self.originator else self.originator
        try:
            while not self._come[peer.leg_id].is_set() and not peer.cause:
                await channel.frame()
            channel.bridged_at = time.time()
            self._tell(channel, "CHANNEL_BRIDGE")
            while not self._over.is_set():
                await channel.frame()
        finally:
            if channel.bridged_at:
                self._tell(channel, "CHANNEL_UNBRIDGE")
            self._over.set()
            channel.bridge = None

    def _tell(self, channel: Channel, name: str) -> None:
        if channel is self.originator:
            channel.tell(name)

    def leave(self, channel: Channel) -> None:
        """Somebody hangs up: who is first has the role, the other side the cause."""
        is_first = channel is self.originator
        peer = self.other if is_first else self.originator
        if not peer.cause:
            channel.variables["last_bridge_role"] = "originator" if is_first else "originatee"
        if not is_first:
            peer.variables["bridge_hangup_cause"] = channel.cause
        elif not peer.cause:
            told = {"bridge_hangup_cause": channel.cause}
            asyncio.get_running_loop().call_later(LATER_S, peer.variables.update, told)


def join(originator: Channel, other: Channel) -> None:
    """Two legs that do something else are joined."""
    other.variables |= originator.exports
    bridge = Bridge(originator, other)
    bridge.begin()
    originator.fetch(bridge)
    other.fetch(bridge)


async def talk_joined(channel: Channel, bridge: Bridge) -> None:
    """A leg that was fetched talks, and then goes where its variables say. Raises Gone."""
    is_first = channel is bridge.originator
    peer = bridge.other if is_first else bridge.originator
    channel.state = "CS_SOFT_EXECUTE" if is_first else "CS_EXCHANGE_MEDIA"
    channel.application = "uuid_bridge"
    channel.tell("CHANNEL_EXECUTE", [("Application", "uuid_bridge"), ("Application-Data", peer.leg_id)])
    if await _is_cut(channel, bridge) and not is_first:
        channel.state, channel.call_id = "CS_RESET", channel.leg_id  # from where nothing takes it on
        await forever(channel)
    channel.state = "CS_EXECUTE"
    if is_first and channel.variables.get("hangup_after_bridge") == "true":
        channel.hang_up(by_us=True)
    go_on(channel, peer, has_dialplan=is_first or channel.profile.direction == "inbound")


async def talk_dialled(channel: Channel, leg: Channel) -> None:
    """A leg talks with the one that it has dialled, and then goes where its variables say. Raises Gone."""
    bridge = leg.bridge
    assert bridge is not None
    try:
        await _is_cut(channel, bridge)
    finally:
        if not leg.cause and not leg.moved:
            end_after(leg, channel)
    if channel.variables.get("hangup_after_bridge") == "true":
        channel.hang_up(by_us=True)
    go_on(channel, leg, has_dialplan=True)


async def _is_cut(channel: Channel, bridge: Bridge) -> bool:
    """Talk; whether the end of a socket has ended it, which takes the other side with it. Raises Gone."""
    try:
        await bridge.talk(channel)
    except Gone:
        if channel.interruption != "cut":
            raise
        channel.interruption = ""
        (bridge.other if channel is bridge.originator else bridge.originator).hang_up(by_us=True)
        return True
    return False


def go_on(channel: Channel, peer: Channel, *, has_dialplan: bool) -> None:
    """What a leg does after a talk. has_dialplan: it goes on there if nothing else was said. Raises Gone."""
    if where := channel.variables.get("transfer_after_bridge", ""):
        extension, _, context = where.split(":")
        channel.send_to(extension, context)
    elif channel.variables.get("park_after_bridge") == "true":
        channel.stand_still()
    elif not has_dialplan:
        end_after(channel, peer)
    channel.check()


def end_after(leg: Channel, peer: Channel) -> None:
    """A leg has nothing left to do when its talk is over."""
    leg.hang_up(by_us=True)
    leg.variables["bridge_hangup_cause"] = peer.cause
    peer.variables["bridge_hangup_cause"] = leg.cause


async def park(channel: Channel) -> None:
    """Nothing, but for what is ordered. Raises Gone."""
    channel.tell("CHANNEL_PARK")
    try:
        await forever(channel)
    finally:
        channel.tell("CHANNEL_UNPARK")


async def stand_still(channel: Channel) -> None:
    """The same, as a state of its own, which no application is in. Raises Gone."""
    channel.state = "CS_PARK"
    try:
        await park(channel)
    finally:
        channel.state = "CS_EXECUTE"


async def forever(channel: Channel) -> None:
    """Until it has to leave. Raises Gone."""
    while True:
        await channel.frame()
