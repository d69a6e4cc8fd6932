"""The bytes of replies and events, with the headers that a loopback channel of FreeSWITCH 1.11 has. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from itertools import count
from urllib.parse import quote

CORE_UUID = "4273684d-b145-44ab-bc50-e29ec9380203"

REJECTION = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"

_SAFE = " :/,.()[]{}<>@!$&'*+-_=~;?|^`\\\""  # what FreeSWITCH leaves as it is, blanks apart
_numbers = count(1)

Headers = Iterable[tuple[str, str]]


def encoded(value: str) -> str:
    """A value as it stands in an event."""
    return quote(value, safe=_SAFE.replace(" ", "")) or "_undef_"


def core(name: str) -> Headers:
    """What every event begins with."""
    now = time.time()
    local = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    return [
        ("Event-Name", name),
        ("Core-UUID", CORE_UUID),
        ("FreeSWITCH-Hostname", "pbx.example"),
        ("FreeSWITCH-Switchname", "pbx.example"),
        ("FreeSWITCH-IPv4", "192.0.2.2"),
        ("FreeSWITCH-IPv6", "fd00::2"),
        ("Event-Date-Local", local),
        ("Event-Date-GMT", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now))),
        ("Event-Date-Timestamp", str(int(now * 1e6))),
        ("Event-Calling-File", "switch_channel.c"),
        ("Event-Calling-Function", "fake"),
        ("Event-Calling-Line-Number", "1"),
        ("Event-Sequence", str(next(_numbers))),
    ]


def profile(prefix: str, facts: Mapping[str, str]) -> Headers:
    """The caller profile; facts: what differs from call to call, by the names used here."""
    names = (
        "Direction",
        "Logical-Direction",
        "Dialplan",
        "Caller-ID-Name",
        "Caller-ID-Number",
        "Orig-Caller-ID-Name",
        "Orig-Caller-ID-Number",
        "Callee-ID-Name",
        "Callee-ID-Number",
        "ANI",
        "Destination-Number",
        "Unique-ID",
        "Source",
        "Context",
        "Channel-Name",
        "Profile-Index",
        "Profile-Created-Time",
        "Channel-Created-Time",
        "Channel-Answered-Time",
        "Channel-Progress-Time",
        "Channel-Progress-Media-Time",
        "Channel-Hangup-Time",
        "Channel-Transfer-Time",
        "Channel-Resurrect-Time",
        "Channel-Bridged-Time",
        "Channel-Last-Hold",
        "Channel-Hold-Accum",
    )
    rest = {"Screen-Bit": "true", "Privacy-Hide-Name": "false", "Privacy-Hide-Number": "false"}
    values = {name: facts.get(name, "0") for name in names} | {"Dialplan": "xml"} | rest
    return [(f"{prefix}-{name}", value) for name, value in values.items()]


def lines(headers: Headers) -> bytes:
    """A header block with its end."""
    return "".join([f"{name}: {encoded(value)}\n" for name, value in headers]).encode() + b"\n"


def event(headers: Headers, body: bytes = b"") -> bytes:
    """A whole event message."""
    block = lines([*headers, ("Content-Length", str(len(body)))] if body else headers) + body
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(block) + block


def reply(text: str) -> bytes:
    """What a command is answered with."""
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def answer(text: str) -> bytes:
    """What an API command is answered with."""
    body = text.encode()
    return b"Content-Type: api/response\nContent-Length: %d\n\n" % len(body) + body


def notice(leg_id: str, channel: str, *, linger_s: int | None) -> bytes:
    """The call has ended; linger_s: the socket stays for so long, -1 without an end; None: it closes now."""
    begun = "Content-Type: text/disconnect-notice\n"
    begun += f"Controlled-Session-UUID: {leg_id}\n" if leg_id else ""
    if linger_s is not None:
        rest = (
            f"Content-Disposition: linger\nChannel-Name: {channel}\nLinger-Time: {linger_s}\nContent-Length: 0\n\n"
        )
        return (begun + rest).encode()
    body = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
    begun += "Content-Disposition: disconnect\n" if leg_id else ""
    return f"{begun}Content-Length: {len(body)}\n\n{body}".encode()
