"""SIP messages as values: what the lab's callers send to a PBX and read from it (RFC 3261).

Pure: bytes in, values out, and back. It opens no socket and keeps no state; `caller` does. Header text which is
no UTF-8 survives a round trip (surrogate escapes), because tests send hostile display names on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

VERSION = "SIP/2.0"
MAGIC_COOKIE = "z9hG4bK"  # every branch begins with it (RFC 3261, 8.1.1.7)
_LONG_NAMES = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6]\d\d)(?: (.*))?")
_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+) SIP/2\.0")
_URI_USER_SAFE = "-_.!~*'()&=+$,;?/"  # RFC 3261, `user` without escapes

Headers = tuple[tuple[str, str], ...]


class NotSip(ValueError):
    """The bytes are no SIP message; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class _Message:
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        """The first header of that name (long form, any case), or ""."""
        return next(iter(self.headers_named(name)), "")

    def headers_named(self, name: str) -> list[str]:
        """All headers of that name, in order."""
        wanted = name.lower()
        return [value for key, value in self.headers if _LONG_NAMES.get(key.lower(), key.lower()) == wanted]

    @property
    def branch(self) -> str:
        """What names the transaction: the branch of the topmost Via."""
        return parameter(self.header("via"), "branch")

    @property
    def sequence(self) -> tuple[int, str]:
        """Number and method of CSeq; (0, "") if it is missing or broken."""
        number, _, method = self.header("cseq").partition(" ")
        return (int(number), method.strip()) if number.isdecimal() else (0, "")


@dataclass(frozen=True, slots=True)
class Request(_Message):
    """INVITE, ACK, BYE, CANCEL, OPTIONS and others."""

    method: str
    uri: str


@dataclass(frozen=True, slots=True)
class Response(_Message):
    """A provisional (1xx) or final answer to a request."""

    status: int
    reason: str


def encode(message: Request | Response) -> bytes:
    """The message as it goes on the wire, with its Content-Length."""
    if isinstance(message, Request):
        start = f"{message.method} {message.uri} {VERSION}"
    else:
        start = f"{VERSION} {message.status} {message.reason}"
    lines = [
        start,
        *(f"{name}: {value}" for name, value in message.headers),
        f"Content-Length: {len(message.body)}",
    ]
    return "\r\n".join((*lines, "", "")).encode("utf-8", "surrogateescape") + message.body


def parse(datagram: bytes) -> Request | Response:
    """The message in one UDP datagram. Raises NotSip."""
    head, _, body = datagram.partition(b"\r\n\r\n")
    start, *lines = _unfold(head.decode("utf-8", "surrogateescape")).split("\r\n")
    headers = tuple(_parse_header(line) for line in lines if line)
    if status := _STATUS_LINE.fullmatch(start):
        return Response(headers, body, int(status[1]), status[2] or "")
    if request := _REQUEST_LINE.fullmatch(start):
        return Request(headers, body, request[1], request[2])
    raise NotSip(f"neither a request nor a status line: {start[:80]!r}")


def response_to(
    request: Request, status: int, reason: str, *, extra: Headers = (), body: bytes = b"", to_tag: str = ""
) -> Response:
    """An answer to a request, with the headers that RFC 3261 8.2.6 wants copied."""
    to = request.header("to")
    if to_tag and not parameter(to, "tag"):
        to = f"{to};tag={to_tag}"
    copied = [("Via", via) for via in request.headers_named("via")]
    copied += [("From", request.header("from")), ("To", to)]
    copied += [("Call-ID", request.header("call-id")), ("CSeq", request.header("cseq"))]
    return Response((*copied, *extra), body, status, reason)


def parameter(value: str, name: str) -> str:
    """A header parameter (`;tag=x`) outside quotes and angle brackets, or ""."""
    outside = re.sub(r'"(?:\\.|[^"\\])*"|<[^>]*>', "", value)
    found = re.search(rf";\s*{re.escape(name)}\s*=\s*([^;,\s]+)", outside, re.IGNORECASE)
    return found[1] if found else ""


def address_uri(value: str) -> str:
    """The URI of a From, To or Contact: what stands in the angle brackets, else before the parameters."""
    bracketed = re.search(r"<([^>]*)>", re.sub(r'^\s*"(?:\\.|[^"\\])*"', "", value))
    return bracketed[1] if bracketed else value.split(";", 1)[0].strip()


def display_name(name: str | bytes) -> str:
    """A display name as it stands in From: quoted and escaped; bytes are put there verbatim, for attacks.

    Raises ValueError for text with CR or LF, which no quoted string can hold.
    """
    if isinstance(name, bytes):
        return name.decode("utf-8", "surrogateescape")
    if "\r" in name or "\n" in name:
        raise ValueError("a display name holds no CR or LF; give bytes to send it all the same")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if name else ""


def uri_user(number: str) -> str:
    """A number as the user part of a URI. What a URI cannot hold is percent-encoded; the PBX decodes it again."""
    return quote(number, safe=_URI_USER_SAFE)


def q850_cause(reasons: Sequence[str]) -> int | None:
    """The ITU-T Q.850 cause of `Reason` headers (RFC 3326), None if there is none."""
    for reason in reasons:
        if reason.lower().startswith("q.850") and (cause := parameter(reason, "cause")).isdecimal():
            return int(cause)
    return None


def _unfold(head: str) -> str:
    return re.sub(r"\r\n[ \t]+", " ", head)


def _parse_header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise NotSip(f"no header line: {line[:80]!r}")
    return name.strip(), value.strip()
