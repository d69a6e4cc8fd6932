"""A dialplan for a fake FreeSWITCH: extensions, and what is done in each.

A pattern is a regular expression for the whole number; `$1` in an action is its group. `${name}` is a variable of
the channel, `${command(words)}` what an API command says, as with `api-expansion`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from tests.doubles.fake_freeswitch.channel import Channel

_INNER = re.compile(r"\$\{([\w-]+)(?:\(([^${}()]*)\))?\}")


class Dialplan:
    """extensions: by pattern what is done, each "application argument"; the first pattern that fits is taken."""

    def __init__(self, extensions: Mapping[str, Sequence[str]]) -> None:
        self._extensions = extensions

    def actions(self, channel: Channel) -> list[tuple[str, str]]:
        """What is done where a channel stands, by application and argument; nothing where there is no such
        extension.
        """
        for pattern, actions in self._extensions.items():
            if found := re.fullmatch(pattern, channel.destination):
                group = found[1] if found.groups() else ""
                return [_action(one.replace("$1", group)) for one in actions]
        return []


def _action(text: str) -> tuple[str, str]:
    application, _, argument = text.partition(" ")
    return application, argument


def expanded(channel: Channel, text: str, api: Callable[[str], str]) -> str:
    """An argument with its variables, the innermost first."""
    count = 1
    while count:
        text, count = _INNER.subn(lambda found: _value(channel, found, api), text)
    return text


def _value(channel: Channel, found: re.Match[str], api: Callable[[str], str]) -> str:
    if found[2] is None:
        return channel.value(found[1])
    return api(f"{found[1]} {found[2]}")
