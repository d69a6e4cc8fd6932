"""A dialplan for a fake FreeSWITCH, from the XML that a real one reads.

Of mod_dialplan_xml what our own files use. All conditions of an extension are looked at before any of its actions
is carried out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from tests.doubles.fake_freeswitch.channel import Channel

Actions = list[tuple[str, str]]

_VARIABLE = re.compile(r"\$\{(\w+)\}")


class XmlDialplan:
    """text: an `<include>` with contexts."""

    def __init__(self, text: str) -> None:
        self._contexts = {one.get("name", ""): list(one.iter("extension")) for one in ElementTree.fromstring(text)}

    def actions(self, channel: Channel) -> Actions:
        """What is done where a channel stands, by application and argument; nothing where there is no such
        extension.
        """
        found: Actions = []
        for extension in self._contexts.get(channel.context, []):
            actions = list(_actions(extension, channel))
            found += actions
            if actions and extension.get("continue") != "true":
                break
        return found


def _actions(extension: ElementTree.Element, channel: Channel) -> Iterator[tuple[str, str]]:
    for condition in extension.iter("condition"):
        match = _match(condition, channel)
        for action in condition.iter("action" if match else "anti-action"):
            group = match[1] if match and match.groups() else ""
            yield action.get("application", ""), action.get("data", "").replace("$1", group)
        if not match and condition.get("break") != "never":
            return


def _match(condition: ElementTree.Element, channel: Channel) -> re.Match[str] | None:
    field = condition.get("field", "")
    value = channel.destination if field == "destination_number" else field
    known = _VARIABLE.sub(lambda name: channel.value(name[1]), value)
    return re.search(condition.get("expression", ""), known)
