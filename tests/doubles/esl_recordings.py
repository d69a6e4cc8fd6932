"""Recorded traffic of a real FreeSWITCH 1.11 (`tests/wire/recordings`), as bytes, as messages, and as steps.

The parser in here reads byte by byte and knows nothing of the product's: it is the second opinion.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

FOLDER = Path(__file__).parents[1] / "wire" / "recordings"
NAMES = sorted(path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.jsonl.gz"))
REPLIES = ("command/reply", "api/response")


@dataclass(frozen=True)
class Line:
    """What one send or recv held, or "open", "close" and "note" with words. at: seconds since the beginning."""

    at: float
    connection: str
    kind: str
    data: bytes


@dataclass(frozen=True)
class PlainMessage:
    """One message of FreeSWITCH. raw: all its bytes; headers: as they came, not decoded, first of a name."""

    raw: bytes
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        return unquote(self.headers["Content-Type"])

    @property
    def is_reply(self) -> bool:
        return self.kind in REPLIES

    @cached_property
    def event(self) -> dict[str, str]:
        """The headers of a plain event, decoded; {} if it is none."""
        if self.kind != "text/event-plain":
            return {}
        return {name: _decoded(value) for name, value in _headers(self.body.partition(b"\n\n")[0]).items()}


@dataclass(frozen=True)
class Step:
    """What happened next on a connection. raw: a command with its empty line, or a message."""

    kind: Literal["command", "message", "close"]
    raw: bytes
    message: PlainMessage | None = None


class Recording:
    """One file."""

    def __init__(self, name: str) -> None:
        text = gzip.decompress((FOLDER / f"{name}.jsonl.gz").read_bytes()).decode()
        self.name = name
        self.lines = [_line(json.loads(one)) for one in text.splitlines()]

    @property
    def connections(self) -> list[str]:
        """The connections that FreeSWITCH said something on."""
        return sorted({line.connection for line in self.lines if line.kind == "fs>app"})

    def chunks(self, connection: str) -> list[bytes]:
        """What FreeSWITCH sent on a connection, cut as TCP cut it."""
        return [line.data for line in self.lines if (line.connection, line.kind) == (connection, "fs>app")]

    def stream(self, connection: str) -> bytes:
        """All that FreeSWITCH sent on a connection."""
        return b"".join(self.chunks(connection))

    def steps(self, connection: str) -> list[Step]:
        """Commands and messages in the order in which they were sent, to the close with who closed.

        What follows is left out: in one recording a second connection has the same name.
        """
        steps: list[Step] = []
        sent, received = b"", b""
        for line in self.lines:
            if line.connection != connection:
                continue
            if line.kind == "fs>app":
                received += line.data
                messages = list(plain_messages(received))
                received = received[sum(len(one.raw) for one in messages) :]
                steps += [Step("message", one.raw, one) for one in messages]
            elif line.kind == "app>fs":
                *commands, sent = (sent + line.data.replace(b"\r\n", b"\n")).split(b"\n\n")
                steps += [Step("command", one.lstrip(b"\n") + b"\n\n") for one in commands if one.strip(b"\n")]
            elif line.kind == "close":
                return [*steps, Step("close", line.data)]
        return steps


@cache
def recording(name: str) -> Recording:
    """A recording by the name of its file, without ".jsonl.gz"."""
    return Recording(name)


def streams() -> list[tuple[str, str]]:
    """All connections of all recordings: (name, connection)."""
    return [(name, connection) for name in NAMES for connection in recording(name).connections]


def plain_messages(data: bytes) -> Iterator[PlainMessage]:
    """The whole messages at the beginning of what FreeSWITCH sent."""
    source = io.BytesIO(data)
    while True:
        begin = source.tell()
        block = b""
        while (line := source.readline()) not in (b"\n", b""):
            block += line
        if line == b"":
            return
        headers = _headers(block)
        length = 0 if headers["Content-Type"] == "command/reply" else int(headers.get("Content-Length", "0"))
        body = source.read(length)
        if len(body) < length:
            return
        yield PlainMessage(data[begin : source.tell()], headers, body)


def _headers(block: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in block.decode(errors="replace").split("\n"):
        name, colon, value = line.partition(": ")
        if colon:
            found.setdefault(name, value)
    return found


def _decoded(value: str) -> str:
    return "" if value == "_undef_" else unquote(value)


def _line(values: dict[str, object]) -> Line:
    data = str(values.get("data", "")).encode("utf-8", "surrogateescape")
    return Line(float(str(values["t"])), str(values["conn"]), str(values["dir"]), data)
