"""What Asterisk says on an AGI connection, parsed byte by byte. Pure; fed by the link.

    200 result=49 endpos=8000        a verb's result, with words behind it
    200 result=1 (any text at all)   a variable's value comes raw: it may hold ")", "hangup" or "endpos=0"
    510 Invalid or unknown command
    511 Command Not Permitted on a dead channel or intercept routine
    520-Invalid command syntax.  Proper usage follows: ... many lines ... 520 End of proper usage.
    HANGUP                           alone on a line, between any two replies: the caller has gone

Seen on Asterisk 22.10. Everything has a bound, and what is none of these raises SwitchProtocolError.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from cordboard.errors import SwitchProtocolError

LINE_MAX_BYTES = 16 * 1024  # a value of 8 KiB with its frame fits twice
USAGE_MAX_BYTES = 64 * 1024
SUCCESS = 200
DEAD_CHANNEL = 511
USAGE = 520

_REPLY = re.compile(r"([0-9]{3})(?: result=([^ ]*) ?(.*)| (.*))?", re.DOTALL)
_USAGE_BEGIN = b"520-"
_USAGE_END = b"520 End of proper usage"


class Reply(NamedTuple):
    """One verb's answer. result: the word after `result=`; rest: what follows it, as it came."""

    code: int
    result: str = ""
    rest: str = ""

    @property
    def number(self) -> int:
        """The result as a number; -1 if it is none, as Asterisk says for "could not"."""
        try:
            return int(self.result)
        except ValueError:
            return -1

    @property
    def end_position(self) -> int:
        """Samples played or recorded (`endpos`), 0 if not said. Only for verbs whose `rest` is Asterisk's own."""
        _, found, digits = self.rest.rpartition("endpos=")
        return int(digits) if found and digits.isdecimal() and digits.isascii() else 0


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    """The line `HANGUP`. It answers nothing; it may stand before, between and after replies."""


CALLER_HUNG_UP = CallerHungUp()
Parsed = Reply | CallerHungUp


class ReplyParser:
    """Turns chunks into replies, however the chunks are cut."""

    __slots__ = ("_pending", "_usage_bytes")

    def __init__(self) -> None:
        self._pending = b""
        self._usage_bytes = 0

    def feed(self, data: bytes) -> list[Parsed]:
        """The replies which this chunk completes. Raises SwitchProtocolError; the parser is then of no more use."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        if len(self._pending) > LINE_MAX_BYTES:
            raise SwitchProtocolError("an AGI reply without an end")
        return [parsed for line in lines if (parsed := self._parse(line)) is not None]

    def _parse(self, line: bytes) -> Parsed | None:
        if len(line) > LINE_MAX_BYTES:
            raise SwitchProtocolError("an AGI reply that is too long")
        if self._usage_bytes:
            return self._in_usage(line)
        line = line.rstrip(b"\r")
        if line == b"HANGUP":
            return CALLER_HUNG_UP
        if line.startswith(_USAGE_BEGIN):
            self._usage_bytes = len(line)
            return None
        return _reply(line.decode(errors="replace"))

    def _in_usage(self, line: bytes) -> Reply | None:
        """Usage text is for people; it counts as one reply, when its last line comes."""
        self._usage_bytes += len(line) + 1
        if self._usage_bytes > USAGE_MAX_BYTES:
            raise SwitchProtocolError("an AGI usage text without an end")
        if not line.startswith(_USAGE_END):
            return None
        self._usage_bytes = 0
        return Reply(USAGE)


def _reply(line: str) -> Reply | None:
    found = _REPLY.fullmatch(line)
    if found is None:
        raise SwitchProtocolError("an AGI reply without a code")
    code, result, rest, words = found.groups()
    if code == "100":
        return None  # "Trying...": the reply itself is still to come
    return Reply(int(code), rest=words or "") if result is None else Reply(int(code), result, rest)
