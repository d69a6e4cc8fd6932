"""What is compared of a message of FreeSWITCH, recorded or faked: what `esl_apps` reads, and what helps to see why.

Of the events only those that are read are kept, and of the legs only those that are not phones: the phones of the
recordings were channels of the same switch. Legs whose ids the client did not choose are numbered as they appear.
Of times it is said whether they are set.

A connection is compared in lanes, replies and each leg for itself: which of two legs is told of first is chance.
"""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.doubles.esl_recordings import PlainMessage

EVENTS = {
    "CHANNEL_PROGRESS",
    "CHANNEL_ANSWER",
    "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE",
    "CHANNEL_EXECUTE",
    "CHANNEL_EXECUTE_COMPLETE",
    "CHANNEL_HANGUP",
    "CHANNEL_HANGUP_COMPLETE",
    "DTMF",
    "PLAYBACK_START",
    "PLAYBACK_STOP",
    "BACKGROUND_JOB",
}
VALUES = (
    "Event-Name",
    "Application",
    "Application-Data",
    "Application-Response",
    "Hangup-Cause",
    "DTMF-Digit",
    "Answer-State",
    "Job-Command",
    "Playback-Status",
)
IDS = ("Application-UUID", "Other-Leg-Unique-ID")
TIMES = ("Caller-Channel-Answered-Time", "Caller-Channel-Bridged-Time")
WITH_VARIABLES = {"CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE"}
VARIABLES = (
    "originate_disposition",
    "originate_causes",
    "last_bridge_role",
    "bridge_hangup_cause",
    "playback_terminator_used",
    "read_result",
    "pin_digits",
)
IN_THE_END = ("sip_hangup_disposition",)
OF_CONNECT: tuple[str, ...] = (
    "Caller-Destination-Number",
    "Caller-Caller-ID-Number",
    "Caller-Caller-ID-Name",
    "Unique-ID",
)
OF_CONNECT += ("Answer-State", "Socket-Mode", "Control", "Caller-Orig-Caller-ID-Number")
LONG = 200  # of an answer that is longer, its first word counts

Told = tuple[str, ...]
Lanes = dict[str, list[Told]]

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class Known:
    """The ids that mean something. chosen: by the client, or the caller's; strangers: legs that are left out."""

    chosen: set[str]
    strangers: set[str] = field(default_factory=set)
    _others: dict[str, str] = field(default_factory=dict)

    def name(self, one: str) -> str:
        """An id as both sides have it."""
        if one in self.chosen or not _ID.fullmatch(one):
            return one
        return self._others.setdefault(one, f"leg {len(self._others) + 1}")

    def named(self, text: str) -> str:
        """A text with the ids in it that mean something."""
        return _ID.sub(lambda found: found[0] if found[0] in self.chosen else "an id", text)


class Hearing:
    """What came on one connection, sorted into lanes."""

    def __init__(self, known: Known) -> None:
        self.lanes: Lanes = collections.defaultdict(list)
        self.names: Lanes = collections.defaultdict(list)  # of all headers but variables
        self._known = known
        self._jobs: set[str] = set()

    def counts(self) -> dict[str, int]:
        """How many there are in each lane."""
        return {lane: len(told) for lane, told in self.lanes.items()}

    def take(self, message: PlainMessage) -> None:
        """One more."""
        event = message.event
        if event:
            self._take_event(event, message)
            return
        if "Job-UUID" in message.headers:
            self._jobs.add(message.headers["Job-UUID"])
        self.lanes["replies"].append(self._reply(message))

    def _take_event(self, event: dict[str, str], message: PlainMessage) -> None:
        name, leg = event["Event-Name"], event.get("Unique-ID", "")
        if name not in EVENTS or leg in self._known.strangers:
            return
        if name != "BACKGROUND_JOB":
            lane = f"keys of {self._known.name(leg)}" if name == "DTMF" else self._known.name(leg)
            self.lanes[lane].append(self._event(event))
            self.names[lane].append(_names(event))
        elif event["Job-UUID"] in self._jobs:
            said = message.body.partition(b"\n\n")[2].decode()
            self.lanes["jobs"].append((name, event["Job-Command"], self._known.named(said)))

    def _event(self, event: dict[str, str]) -> Told:
        told = [f"{name}: {event[name]}" for name in VALUES if name in event]
        chosen = self._known.chosen
        told += [f"{name}: {event[name]}" for name in IDS if event.get(name) in chosen]
        told += [f"{name}: set" for name in TIMES if event.get(name, "0") != "0"]
        if event["Event-Name"] not in WITH_VARIABLES:
            return tuple(told)
        read = VARIABLES + (IN_THE_END if event["Event-Name"] == "CHANNEL_HANGUP_COMPLETE" else ())
        values = {name: event.get(f"variable_{name}", "") for name in read}
        return (*told, *(f"{name}={value}" for name, value in values.items() if value))

    def _reply(self, message: PlainMessage) -> Told:
        if "Event-Name" in message.headers:
            self.names["connect"].append(_names(message.headers))
            found = [f"{name}: {message.headers.get(name, '')}" for name in OF_CONNECT]
            return ("connect", *found)
        words = [
            message.headers[name]
            for name in ("Reply-Text", "Content-Disposition", "Linger-Time")
            if name in message.headers
        ]
        return (message.kind, *map(self._known.named, words), self._body(message.body.decode(errors="replace")))

    def _body(self, text: str) -> str:
        if text.startswith('{"row_count"'):
            rows = json.loads(text).get("rows", [])
            return " ".join(sorted(row["uuid"] for row in rows if row["uuid"] in self._known.chosen))
        short = text if len(text) <= LONG else re.split(r"[\s,:]", text)[0]
        return self._known.named(short) if not short.startswith("UP ") else "UP"


def _names(headers: Iterable[str]) -> Told:
    return tuple(name for name in headers if not name.startswith("variable_"))


def chosen_in(commands: Iterable[bytes]) -> set[str]:
    """The ids which a client gave to legs and applications."""
    found: set[str] = set()
    for command in commands:
        text = command.decode(errors="replace")
        found.update(re.findall(rf"(?:origination_uuid=|Event-UUID: |Job-UUID: )({_ID.pattern})", text))
    return found
