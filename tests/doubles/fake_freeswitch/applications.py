"""The applications of a fake channel: by name, what they do, and what they leave in its variables."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tests.doubles.fake_freeswitch import bridge, gathering, ringing, sockets, sounds
from tests.doubles.fake_freeswitch.channel import Channel, Gone, Order
from tests.doubles.fake_freeswitch.dialplan import expanded

if TYPE_CHECKING:
    from tests.doubles.fake_freeswitch.switch import FakeFreeswitch

SAID_S = 0.3  # any value that is spoken
LANGUAGES = ("en", "es")

Application = Callable[[Channel, str], Awaitable[None]]
OfSwitch = Callable[[Channel, str, "FakeFreeswitch"], Awaitable[None]]


async def execute(switch: FakeFreeswitch, channel: Channel, order: Order) -> None:
    """Run one, with the events that tell of it. One that is not there ends the call. Raises Gone."""
    name, argument = order.application, order.argument
    if name not in _APPLICATIONS and name not in _OF_SWITCH:
        channel.hang_up("DESTINATION_OUT_OF_ORDER", by_us=True)
        raise Gone
    about = [("Application", name)] + ([("Application-Data", argument)] if argument else [])
    own = [("Application-UUID", order.event_uuid or str(uuid.uuid4()))]
    channel.variables |= {"current_application": name, "current_application_data": argument}
    channel.variables.pop("current_application_response", None)
    channel.application = name
    channel.broken.clear()
    channel.tell("CHANNEL_EXECUTE", [*about, *own])
    channel.running.append(name)
    try:
        await _run(switch, channel, name, argument)
    except Gone:
        _completed(channel, about, own)
        raise
    _completed(channel, about, own)


def _completed(channel: Channel, about: list[tuple[str, str]], own: list[tuple[str, str]]) -> None:
    channel.running.pop()
    said = channel.variables.get("current_application_response") or "_none_"  # of what ran within, too
    channel.tell("CHANNEL_EXECUTE_COMPLETE", [*about, ("Application-Response", said), *own])


async def _run(switch: FakeFreeswitch, channel: Channel, name: str, argument: str) -> None:
    if name in _OF_SWITCH:
        await _OF_SWITCH[name](channel, argument, switch)
    else:
        await _APPLICATIONS[name](channel, argument)


async def _answer(channel: Channel, argument: str) -> None:
    channel.pick_up()


async def _hangup(channel: Channel, argument: str) -> None:
    channel.hang_up(argument or "NORMAL_CLEARING", by_us=True)


async def _set(channel: Channel, argument: str) -> None:
    name, _, value = argument.partition("=")
    channel.variables[name] = value


async def _multiset(channel: Channel, argument: str) -> None:
    mark, pairs = (argument[2], argument[3:]) if argument.startswith("^^") else (" ", argument)
    for pair in pairs.split(mark):
        await _set(channel, pair)


async def _sleep(channel: Channel, argument: str) -> None:
    await sounds.play(channel, int(argument) / 1000)


async def _say(channel: Channel, argument: str) -> None:
    """As the real one it does not say whether it spoke."""
    if argument.split(" ")[0] in LANGUAGES:
        await sounds.play(channel, SAID_S)


async def _park(channel: Channel, argument: str) -> None:
    await bridge.park(channel)


async def _nothing(channel: Channel, argument: str) -> None:
    """Writes a line somewhere."""


async def _transfer(channel: Channel, argument: str) -> None:
    channel.send_to(*argument.split()[::2])


async def _multiunset(channel: Channel, argument: str) -> None:
    for name in argument[3:].split(argument[2]):
        channel.variables.pop(name, None)


async def _bridge_export(channel: Channel, argument: str) -> None:
    name, _, value = argument.removeprefix("nolocal:").partition("=")
    channel.exports[name] = value


async def _unmask(channel: Channel, argument: str) -> None:
    channel.recordings[argument] = "on"


async def _voicemail(channel: Channel, argument: str) -> None:
    await bridge.forever(channel)


async def _intercept(channel: Channel, argument: str, switch: FakeFreeswitch) -> None:
    """Fetch somebody; the talk begins when this has ended. It does nothing for one who has gone, or who talks."""
    wanted = switch.channel(argument)
    is_free = channel.variables.get("intercept_unbridged_only") != "true" or (wanted and wanted.bridge is None)
    if wanted is not None and is_free:
        bridge.join(channel, wanted)


async def _sched_transfer(channel: Channel, argument: str, switch: FakeFreeswitch) -> None:
    after_s, extension, _, context = argument.split()
    switch.move_later(channel.leg_id, float(after_s), extension, context)


async def _sched_cancel(channel: Channel, argument: str, switch: FakeFreeswitch) -> None:
    switch.move_not(argument or channel.leg_id)


async def _limit(channel: Channel, argument: str, switch: FakeFreeswitch) -> None:
    """hash, realm, what is counted, how many there may be, and where who is too many goes."""
    _, realm, resource, most, extension, _, context = argument.split()
    if not switch.count(channel, f"{realm} {resource}", int(most)):
        channel.send_to(extension, context)


async def _execute_extension(channel: Channel, argument: str, switch: FakeFreeswitch) -> None:
    """What is done in an extension, within whatever is done now."""
    stood = channel.destination, channel.context
    channel.destination, _, channel.context = argument.split()
    actions = switch.dialplan.actions(channel)
    channel.destination, channel.context = stood
    for application, data in actions:
        await execute(switch, channel, Order(application, expanded(channel, data, switch.answer)))


_APPLICATIONS: dict[str, Application] = {
    "answer": _answer,
    "hangup": _hangup,
    "set": _set,
    "multiset": _multiset,
    "sleep": _sleep,
    "log": _nothing,
    "playback": sounds.playback,
    "say": _say,
    "record": gathering.record,
    "play_and_get_digits": gathering.play_and_get_digits,
    "read": gathering.read,
    "park": _park,
    "multiunset": _multiunset,
    "bridge_export": _bridge_export,
    "record_session_unmask": _unmask,
    "voicemail": _voicemail,
    "transfer": _transfer,
}
_OF_SWITCH: dict[str, OfSwitch] = {
    "bridge": ringing.bridge,
    "intercept": _intercept,
    "socket": sockets.socket,
    "sched_transfer": _sched_transfer,
    "sched_cancel": _sched_cancel,
    "limit": _limit,
    "execute_extension": _execute_extension,
}
NAMES = sorted([*_APPLICATIONS, *_OF_SWITCH])
