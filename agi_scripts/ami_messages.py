"""AMI as bytes: actions out, messages in. Pure; used by the manager link.

Asterisk takes a bare LF as a line end too, and discards lines over 1,024 bytes ("Line too long"), so what cannot be
one line of one action is refused here, before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from cordboard.errors import SwitchProtocolError

LINE_MAX_BYTES = 1000
MESSAGE_MAX_BYTES = 256 * 1024
END = b"\r\n\r\n"

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_UNFIT = ("\r", "\n", "\0")

Action = Mapping[str, str | Sequence[str]]


def encode_action(items: Iterable[tuple[str, object]]) -> bytes:
    """One action. A value that is a list gives one line each. Raises SwitchProtocolError if it is not just that."""
    lines = [_line(key, value) for key, values in items for value in _each(values)]
    return b"".join([*lines, b"\r\n"])


def _each(values: object) -> Sequence[object]:
    return values if isinstance(values, (list, tuple)) else (values,)


def _line(key: str, value: object) -> bytes:
    text = str(value)
    if _KEY.fullmatch(key) is None:
        raise SwitchProtocolError("an AMI header name with characters no header has")
    if any(character in text for character in _UNFIT):
        raise SwitchProtocolError("a line break or NUL in an AMI value")
    try:
        line = f"{key}: {text}".encode()
    except UnicodeEncodeError as error:
        raise SwitchProtocolError("an AMI value that is no Unicode text") from error
    if len(line) > LINE_MAX_BYTES:
        raise SwitchProtocolError(f"an AMI line of {len(line)} bytes; {LINE_MAX_BYTES} is the limit")
    return line + b"\r\n"


class MessageSplitter:
    """Turns chunks into messages, however the chunks are cut, even inside a character."""

    __slots__ = ("_pending", "_searched")

    def __init__(self) -> None:
        self._pending = b""
        self._searched = 0

    def feed(self, data: bytes) -> list[str]:
        """The messages this chunk completes, without empty line. Raises SwitchProtocolError if one never ends."""
        self._pending += data
        if self._pending.find(END, self._searched) < 0:
            self._searched = max(0, len(self._pending) - len(END))
            messages: list[bytes] = []
        else:
            *messages, self._pending = self._pending.split(END)
            self._searched = 0
        if len(self._pending) > MESSAGE_MAX_BYTES:
            raise SwitchProtocolError("an AMI message without an end")
        return [message.decode(errors="replace") for message in messages]


Headers = dict[str, str | list[str]]


def headers_of(text: str) -> Headers:
    """The headers of one message, names in lower case; of a name that comes more than once all values, in order.

    In order, whatever the case: a caller can put lines in front of Asterisk's own (line breaks in a number), and of
    most headers the last one is Asterisk's.
    """
    found: Headers = {}
    for line in text.split("\r\n"):
        name, colon, value = line.partition(": ")
        if not colon:
            continue
        name = name.lower()
        if name in found:
            _add(found, name, value)
        else:
            found[name] = value
    return found


def _add(found: Headers, name: str, value: str) -> None:
    """One value more of a name: only such a name gets a list."""
    values = found[name]
    if isinstance(values, list):
        values.append(value)
    else:
        found[name] = [values, value]


_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unescaped(value: str) -> str:
    """A caller's or connected party's name from an event: Asterisk C-escapes these, once."""
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), value)
