"""What FreeSWITCH says on an event socket, cut into messages. Pure; fed by the connection.

    Content-Type: command/reply         a header block, an empty line, and no body whatever else it says
    Reply-Text: +OK

    Content-Length: 5506                a header block, an empty line, and exactly so many bytes
    Content-Type: text/event-plain

    Event-Name: CHANNEL_PARK ...        the body of an event: a header block again, values percent-encoded; an event
                                        may have a body of its own behind it (BACKGROUND_JOB)

The reply to `connect` is one header block of 4 to 7 kB and no body; its values are percent-encoded, and its
`Content-Type` stands near its end. Seen on FreeSWITCH 1.11.

Bytes are cut by length and lines before anything is decoded, so a caller's name ("%0AEvent-Name: ...") stays one
value of one header, and nothing is decoded that nobody reads: a channel has 150 headers, of which we read four.
Everything has a bound, and what is none of these raises SwitchProtocolError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar, overload
from urllib.parse import unquote_to_bytes

from cordboard.errors import SwitchProtocolError

HEADER_MAX_BYTES = 256 * 1024  # the reply to `connect` of a call that was sent round and round with long variables
HEADERS_MAX = 4000
BODY_MAX_BYTES = 32 * 1024 * 1024  # `show channels as json` takes 1.2 kB a channel

COMMAND_REPLY = "command/reply"
API_RESPONSE = "api/response"
AUTH_REQUEST = "auth/request"
EVENT_PLAIN = "text/event-plain"
DISCONNECT_NOTICE = "text/disconnect-notice"
RUDE_REJECTION = "text/rude-rejection"

_T = TypeVar("_T")
_END = b"\n\n"
_UNDEFINED = b"_undef_"  # how an empty value is written
_WITHOUT_BODY = frozenset({COMMAND_REPLY, AUTH_REQUEST})
_LENGTH = re.compile(rb"[0-9]{1,9}")


class Headers(Mapping[str, str]):
    """The headers of one block, decoded when they are read. Of a name that comes twice the first counts."""

    __slots__ = ("_values", "block")

    def __init__(self, block: bytes) -> None:
        self.block = block
        self._values: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    @overload
    def get(self, name: str, /) -> str | None: ...

    @overload
    def get(self, name: str, /, default: str) -> str: ...

    @overload
    def get(self, name: str, /, default: _T) -> str | _T: ...

    def get(self, name: str, /, default: object = None) -> object:
        """As of any mapping; decodes this one header only."""
        if self._values is not None:
            return self._values.get(name, default)
        raw = self.raw(name.encode())
        return default if raw is None else _decoded(raw)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def raw(self, name: bytes) -> bytes | None:
        """The value as it came, None if there is no such header."""
        block = self.block
        at = 0
        if not block.startswith(b"%b: " % name):
            at = block.find(b"\n%b: " % name) + 1
            if at == 0:
                return None
        at += len(name) + 2
        end = block.find(b"\n", at)
        return block[at:end] if end >= 0 else block[at:]

    def _all(self) -> dict[str, str]:
        if self._values is None:
            self._values = {}
            for line in self.block.split(b"\n"):
                name, colon, value = line.partition(b": ")
                if colon:
                    self._values.setdefault(name.decode(errors="replace"), _decoded(value))
        return self._values


def _decoded(value: bytes) -> str:
    if value == _UNDEFINED:
        return ""
    if b"%" in value:
        value = unquote_to_bytes(value)
    return value.decode(errors="replace")


class Message(NamedTuple):
    """One message. kind: its content type; body: b"" where it has none."""

    kind: str
    headers: Headers
    body: bytes


class MessageSplitter:
    """Turns chunks into messages, however the chunks are cut."""

    __slots__ = ("_body_max", "_enough", "_pending", "_searched")

    def __init__(self, body_max_bytes: int = BODY_MAX_BYTES) -> None:
        self._body_max = body_max_bytes
        self._pending = bytearray()
        self._searched = 0  # no header block ends before this place of what is pending
        self._enough = 0  # with fewer bytes pending than these no message can be whole

    def feed(self, data: bytes) -> list[Message]:
        """The messages which this chunk completes. Raises SwitchProtocolError; of no more use then."""
        buffer: bytes | bytearray = data
        if self._pending:
            self._pending += data
            buffer = self._pending
            if len(buffer) < self._enough:
                return []
        messages: list[Message] = []
        start = 0
        while (found := self._next(buffer, start)) is not None:
            message, start = found
            messages.append(message)
        if buffer is self._pending:
            del self._pending[:start]
        else:
            self._pending += data[start:]
        return messages

    def _next(self, buffer: bytes | bytearray, start: int) -> tuple[Message, int] | None:
        """The message that begins at `start`, and where the one behind it begins; None if it is not whole yet."""
        begin = start
        while buffer[begin : begin + 1] == b"\n":
            begin += 1
        end = buffer.find(_END, max(begin, start + self._searched))
        if (end if end >= 0 else len(buffer)) - start > HEADER_MAX_BYTES:
            raise SwitchProtocolError("an event socket header without an end")
        if end < 0:
            self._searched = max(0, len(buffer) - start - 1)
            self._enough = 0
            return None
        headers = Headers(bytes(buffer[begin:end]))
        kind = _kind_of(headers)
        done = end + len(_END) + self._length_of(kind, headers)
        if done > len(buffer):
            self._searched, self._enough = end - start, done - start
            return None
        self._searched = self._enough = 0
        return Message(kind, headers, bytes(buffer[end + len(_END) : done])), done

    def _length_of(self, kind: str, headers: Headers) -> int:
        if kind in _WITHOUT_BODY:
            return 0
        raw = headers.raw(b"Content-Length")
        if raw is None:
            raise SwitchProtocolError(f"a message of type {kind} without a length")
        if _LENGTH.fullmatch(raw) is None or int(raw) > self._body_max:
            raise SwitchProtocolError(f"a message of type {kind} with a length that cannot be")
        return int(raw)


def _kind_of(headers: Headers) -> str:
    raw = headers.raw(b"Content-Type")
    if raw is None or len(raw) > 80:
        raise SwitchProtocolError("an event socket message without a type")
    if headers.block.count(b"\n") > HEADERS_MAX:
        raise SwitchProtocolError("an event socket message with too many headers")
    return raw.decode(errors="replace")
