"""What an event of a fake channel says of it: the headers that a loopback channel of FreeSWITCH 1.11 has. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.doubles.fake_freeswitch import blocks

if TYPE_CHECKING:
    from tests.doubles.fake_freeswitch.channel import Channel

Headers = list[tuple[str, str]]

_CODEC = [("Name", "L16"), ("Rate", "8000"), ("Bit-Rate", "128000")]


def of(channel: Channel) -> Headers:
    """Its state, who calls whom, whom it was joined with, and its variables."""
    other = [("Other-Leg-Unique-ID", channel.other_leg_id)] if channel.other_leg_id else []
    variables = [(f"variable_{name}", value) for name, value in channel.variables.items() if value]
    return [*_state(channel), *_profile("Caller", channel), *other, *variables]


def picture(channel: Channel) -> bytes:
    """The reply to `connect`: headers without a body."""
    rest = [
        ("Content-Type", "command/reply"),
        ("Reply-Text", "+OK\n"),
        ("Socket-Mode", "async"),
        ("Control", "full"),
    ]
    headers = [*blocks.core("CHANNEL_DATA"), *_profile("Channel", channel), *of(channel), *rest]
    return blocks.lines(headers)


def _state(channel: Channel) -> Headers:
    direction = channel.profile.direction
    hung_up = [("Hangup-Cause", channel.cause)] if channel.cause else []
    talks = "ACTIVE" if channel.is_answered else "RINGING"
    answer = "answered" if channel.is_answered else "ringing"
    return [
        ("Channel-State", "CS_HANGUP" if channel.cause else channel.state),
        ("Channel-Call-State", "HANGUP" if channel.cause else talks),
        ("Channel-State-Number", "10" if channel.cause else "4"),
        ("Channel-Name", channel.channel_name),
        ("Unique-ID", channel.leg_id),
        ("Call-Direction", direction),
        ("Presence-Call-Direction", direction),
        ("Channel-HIT-Dialplan", "true" if direction == "inbound" else "false"),
        ("Channel-Call-UUID", channel.call_id or channel.leg_id),
        ("Answer-State", "hangup" if channel.cause else answer),
        *hung_up,
        *[(f"Channel-Read-Codec-{name}", value) for name, value in _CODEC],
        *[(f"Channel-Write-Codec-{name}", value) for name, value in _CODEC],
    ]


def _profile(prefix: str, channel: Channel) -> blocks.Headers:
    who = channel.profile
    return blocks.profile(
        prefix,
        {
            "Direction": who.direction,
            "Logical-Direction": who.direction,
            "Caller-ID-Name": who.name,
            "Caller-ID-Number": who.ani,
            "Orig-Caller-ID-Name": who.name,
            "Orig-Caller-ID-Number": who.ani,
            "Callee-ID-Name": "Outbound Call",
            "Callee-ID-Number": "default",
            "ANI": who.ani,
            "Destination-Number": channel.destination,
            "Unique-ID": channel.leg_id,
            "Source": who.source,
            "Context": "default",
            "Channel-Name": channel.channel_name,
            "Profile-Index": "1",
            "Profile-Created-Time": _micros(channel.began_at),
            "Channel-Created-Time": _micros(channel.began_at),
            "Channel-Answered-Time": _micros(channel.answered_at),
            "Channel-Hangup-Time": _micros(channel.cause_at),
            "Channel-Bridged-Time": _micros(channel.bridged_at),
        },
    )


def _micros(seconds: float) -> str:
    return str(int(seconds * 1e6))
