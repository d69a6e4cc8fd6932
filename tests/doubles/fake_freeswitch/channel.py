"""One caller's channel: variables, keys, and the applications that run on it one at a time, as a real one does."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable

from tests.doubles.fake_freeswitch import blocks

FRAME_S = 0.02  # a channel looks for its next application, and for keys, so often


class Gone(Exception):
    """The channel has ended, or has left what it was doing: ends the application that runs."""


class Channel:
    """tell: where its events go. What a test does to the caller is `press`, `hang_up` and `speaks`."""

    def __init__(self, tell: Callable[[Channel, bytes, str], None], dnis: str, ani: str, name: str) -> None:
        self.leg_id = str(uuid.uuid4())
        self.variables: dict[str, str] = {"direction": "inbound", "uuid": self.leg_id, "socket_resume": "true"}
        self.dnis, self.ani, self.caller_name = dnis, ani, name
        self.channel_name = f"loopback/{dnis}-b"
        self.cause = ""
        self.cause_at = 0.0
        self.is_answered = False
        self.speaks = False
        self.keys: deque[str] = deque()
        self.broken = asyncio.Event()  # a break was asked for
        self.moved = ""  # where it was sent in the dialplan, while something ran
        self.place = ""  # where it is when no worker has it
        self.executed: list[str] = []  # "application argument" of all that was run
        self.recordings: dict[str, str] = {}  # by path: "on", "masked", "stopped"
        self.ended = asyncio.Event()
        self._tell = tell
        self._began = time.time()

    # -- what happens to it --

    def press(self, keys: str) -> None:
        """The caller presses keys."""
        self.keys.extend(keys)

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        """It ends; the event comes at once, all others when what runs has ended."""
        if not self.cause:
            self.cause, self.cause_at = cause, time.time()
            self.tell("CHANNEL_HANGUP")

    def send_to(self, extension: str) -> None:
        """Somewhere else in the dialplan: what runs ends."""
        self.moved = extension

    # -- what applications use --

    async def frame(self) -> None:
        """One frame. Raises Gone. A key that came is told, and returned by `key`."""
        await asyncio.sleep(FRAME_S)
        if self.cause or self.moved:
            raise Gone

    def key(self) -> str:
        """The next key, told as an event; "" if there is none."""
        if not self.keys:
            return ""
        key = self.keys.popleft()
        self.tell("DTMF", [("DTMF-Digit", key), ("DTMF-Duration", "2000"), ("DTMF-Source", "APP")])
        return key

    # -- what it says --

    def tell(self, name: str, more: blocks.Headers = (), *, first: blocks.Headers = ()) -> None:
        """An event about it."""
        headers = [*blocks.core(name), *first, *self.state(), *self._profile("Caller"), *self._variables(), *more]
        self._tell(self, blocks.event(headers), name)

    def picture(self) -> bytes:
        """The reply to `connect`: its headers without a body."""
        rest = [("Content-Type", "command/reply"), ("Reply-Text", "+OK\n"), ("Socket-Mode", "async")]
        last = [*rest, ("Control", "full")]
        profiles = [*self._profile("Channel"), *self.state(), *self._profile("Caller")]
        return blocks.lines([*blocks.core("CHANNEL_DATA"), *profiles, *self._variables(), *last])

    def state(self) -> blocks.Headers:
        """What state it is in."""
        hung_up = [("Hangup-Cause", self.cause)] if self.cause else []
        answer = "hangup" if self.cause else "answered" if self.is_answered else "ringing"
        codec = [("Name", "L16"), ("Rate", "8000"), ("Bit-Rate", "128000")]
        return [
            ("Channel-State", "CS_HANGUP" if self.cause else "CS_EXECUTE"),
            ("Channel-Call-State", "HANGUP" if self.cause else "ACTIVE" if self.is_answered else "RINGING"),
            ("Channel-State-Number", "10" if self.cause else "4"),
            ("Channel-Name", self.channel_name),
            ("Unique-ID", self.leg_id),
            ("Call-Direction", "inbound"),
            ("Presence-Call-Direction", "inbound"),
            ("Channel-HIT-Dialplan", "true"),
            ("Channel-Call-UUID", self.leg_id),
            ("Answer-State", answer),
            *hung_up,
            *[(f"Channel-Read-Codec-{name}", value) for name, value in codec],
            *[(f"Channel-Write-Codec-{name}", value) for name, value in codec],
        ]

    def _profile(self, prefix: str) -> blocks.Headers:
        began = str(int(self._began * 1e6))
        facts = {
            "Caller-ID-Name": self.caller_name,
            "Caller-ID-Number": self.ani,
            "Orig-Caller-ID-Name": self.caller_name,
            "Orig-Caller-ID-Number": self.ani,
            "Callee-ID-Name": "Outbound Call",
            "Callee-ID-Number": "default",
            "ANI": self.ani,
            "Destination-Number": self.dnis,
            "Unique-ID": self.leg_id,
            "Source": "mod_loopback",
            "Context": "default",
            "Channel-Name": self.channel_name,
            "Profile-Index": "1",
            "Profile-Created-Time": began,
            "Channel-Created-Time": began,
            "Channel-Answered-Time": began if self.is_answered else "0",
            "Channel-Hangup-Time": str(int(self.cause_at * 1e6)),
        }
        return blocks.profile(prefix, facts)

    def _variables(self) -> blocks.Headers:
        return [(f"variable_{name}", value) for name, value in self.variables.items() if value]
