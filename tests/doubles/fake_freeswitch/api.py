"""The API commands of a fake FreeSWITCH: by word, what they do and say. What a test needs more is added there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.doubles.fake_freeswitch import facts
from tests.doubles.fake_freeswitch.applications import LANGUAGES, NAMES
from tests.doubles.fake_freeswitch.bridge import join
from tests.doubles.fake_freeswitch.channel import Order
from tests.doubles.fake_freeswitch.ringing import originate

if TYPE_CHECKING:
    from tests.doubles.fake_freeswitch.switch import FakeFreeswitch

NO_CHANNEL = "-ERR No such channel!\n"
OK = "+OK\n"
SETVAR_WORDS = 2

_PAIR = re.compile(r"(?:\\.|[^;\\])+")


async def perform(switch: FakeFreeswitch, command: str) -> str:
    """What a command is answered with, one that takes its time when it has ended."""
    word, _, argument = command.partition(" ")
    return await originate(switch, argument) if word == "originate" else answer(switch, command)


def answer(switch: FakeFreeswitch, command: str) -> str:
    """What a command that ends at once is answered with."""
    word, *words = command.split(" ")
    function = _COMMANDS.get(word)
    if function is None:
        return f"-ERR {word} Command not found!\n"
    return function(switch, words)


def _setvar_multi(switch: FakeFreeswitch, words: list[str]) -> str:
    channel = switch.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    for pair in _PAIR.findall(" ".join(words[1:])):
        name, _, value = pair.partition("=")
        channel.variables[name] = re.sub(r"\\(.)", lambda found: {"s": " "}.get(found[1], found[1]), value)
    return OK


def _setvar(switch: FakeFreeswitch, words: list[str]) -> str:
    if len(words) < SETVAR_WORDS:
        return "-USAGE: <uuid> <var> [value]\n"
    channel = switch.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    channel.variables[words[1]] = " ".join(words[2:])
    return OK


def _getvar(switch: FakeFreeswitch, words: list[str]) -> str:
    channel = switch.channel(words[0])
    return NO_CHANNEL if channel is None else channel.variables.get(words[1]) or "_undef_"


def _exists(switch: FakeFreeswitch, words: list[str]) -> str:
    return "true" if switch.channel(words[0]) else "false"


def _kill(switch: FakeFreeswitch, words: list[str]) -> str:
    channel = switch.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    channel.hang_up(words[1] if len(words) > 1 else "NORMAL_CLEARING", by_us=True)
    return OK


def _break(switch: FakeFreeswitch, words: list[str]) -> str:
    channel = switch.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    channel.broken.set()
    return OK


def _transfer(switch: FakeFreeswitch, words: list[str]) -> str:
    channel = switch.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    channel.send_to(*words[1::2])
    return OK


def _bridge(switch: FakeFreeswitch, words: list[str]) -> str:
    legs = [switch.channel(word) for word in words]
    if legs[0] is None or legs[1] is None:
        return "-ERR Invalid uuid\n"
    join(legs[0], legs[1])
    return f"+OK {words[1]}\n"


def _broadcast(switch: FakeFreeswitch, words: list[str]) -> str:
    channel = switch.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    channel.orders.append(Order("playback", words[1]))
    return "+OK Message sent\n"


def _dump(switch: FakeFreeswitch, words: list[str]) -> str:
    channel = switch.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    told = {"Event-Name": "CHANNEL_DATA"} | dict(facts.of(channel))
    if words[1:] == ["json"]:
        return json.dumps(told)
    return "".join(f"{name}: {value}\n" for name, value in told.items())


def _show(switch: FakeFreeswitch, words: list[str]) -> str:
    """`show channels as json`, with the columns that are read here; `show application`; nobody is registered."""
    if words[0] == "registrations":
        return json.dumps({"row_count": 0})
    if words[0] == "application":
        return "name,description,syntax,ikey\n" + "".join(f"{name},{name},,mod_fake\n" for name in NAMES)
    rows = [
        {
            "uuid": one.leg_id,
            "call_uuid": one.call_id,
            "name": one.channel_name,
            "state": one.state,
            "callstate": "ACTIVE" if one.is_answered else "RINGING",
            "created_epoch": str(int(one.began_at)),
            "presence_id": "",
            "application": one.application,
            "dest": one.destination,
        }
        for one in switch.legs()
        if not one.cause
    ]
    return json.dumps({"row_count": len(rows), "rows": rows} if rows else {"row_count": 0})


def _hupall(switch: FakeFreeswitch, words: list[str]) -> str:
    """Of all channels, or of those that have a variable: CAUSE NAME VALUE."""
    cause, name, value = [*words, *["MANAGER_REQUEST", "", ""][len(words) :]]
    for channel in switch.legs():
        if not name or channel.variables.get(name) == value:
            channel.hang_up(cause, by_us=True)
    return f"+OK hangup all channels with cause {cause}\n"


def _record(switch: FakeFreeswitch, words: list[str]) -> str:
    channel = switch.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    word, path = words[1:3]
    is_known = path in channel.recordings and channel.recordings[path] != "stopped"
    if word == "start":
        if not Path(path).parent.is_dir():
            return "-ERR Cannot record session!\n"
        Path(path).touch()
    elif not is_known:
        return "-ERR Cannot do that!\n"
    channel.recordings[path] = {"start": "on", "unmask": "on", "mask": "masked", "stop": "stopped"}[word]
    return "+OK Success\n"


def _press(switch: FakeFreeswitch, words: list[str]) -> str:
    channel = switch.channel(words[0])
    if channel is None:
        return NO_CHANNEL
    channel.press(words[1])
    return OK


def _sched_transfer(switch: FakeFreeswitch, words: list[str]) -> str:
    switch.move_later(words[1], float(words[0].removeprefix("+")), *words[2::2])
    return OK


def _sched_del(switch: FakeFreeswitch, words: list[str]) -> str:
    return f"+OK Deleted: {switch.move_not(words[0])}\n"


def _xml_locate(switch: FakeFreeswitch, words: list[str]) -> str:
    return f'<context name="{words[3]}"/>' if words[3] in switch.contexts else "can't find anything\n"


def _say_string(switch: FakeFreeswitch, words: list[str]) -> str:
    if words[1] not in LANGUAGES:
        return "-ERR Usage: say_string\n"
    return "file_string://" + "!".join(f"digits/{digit}.wav" for digit in words[-1])


_COMMANDS: dict[str, Callable[[FakeFreeswitch, list[str]], str]] = {
    "uuid_setvar_multi": _setvar_multi,
    "uuid_setvar": _setvar,
    "uuid_getvar": _getvar,
    "uuid_bridge": _bridge,
    "uuid_broadcast": _broadcast,
    "uuid_dump": _dump,
    "show": _show,
    "hupall": _hupall,
    "uuid_exists": _exists,
    "uuid_kill": _kill,
    "uuid_break": _break,
    "uuid_transfer": _transfer,
    "uuid_record": _record,
    "uuid_recv_dtmf": _press,
    "sched_transfer": _sched_transfer,
    "sched_del": _sched_del,
    "xml_locate": _xml_locate,
    "say_string": _say_string,
    "global_getvar": lambda switch, words: "pbx.example",
    "list_users": lambda switch, words: OK,
    "status": lambda switch, words: "UP 0 years, 0 days\n",
}
