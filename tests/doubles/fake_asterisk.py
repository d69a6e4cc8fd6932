"""Asterisk's side of an AGI connection, over a real loopback socket.

It parses what arrives by rules of its own, written after Asterisk's res_agi.c and shared with none of our code, so
that a test sees the commands Asterisk would have run and not those we meant. Replies are as Asterisk 22.10 sends
them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from types import TracebackType

BUFFER_BYTES = 8192  # AGI_BUF_LEN: what does not fit is read as the next command
MAX_WORDS = 128
DEADLINE_S = 5.0

RAN = "200 result=0"
DEAD = "511 Command Not Permitted on a dead channel or intercept routine"

TOKEN = "cordboard"


def words_of(line: str) -> list[str]:
    """A command line split as `parse_args` of res_agi.c does it."""
    words: list[str] = []
    quoted = escaped = False
    whitespace = True
    for character in line:
        if character == '"' and not escaped:
            quoted = not quoted
            if quoted and whitespace:
                words.append("")
                whitespace = False
        elif character in " \t" and not quoted and not escaped:
            whitespace = True
        elif character == "\\" and not escaped:
            escaped = True
            continue
        else:
            if whitespace:
                words.append("")
                whitespace = False
            words[-1] += character
        escaped = False
    return words


def commands_in(data: bytes) -> list[list[str]]:
    """All commands Asterisk would run on these bytes, each as its words."""
    commands: list[list[str]] = []
    while data:
        line, _, rest = data.partition(b"\n")
        if len(line) >= BUFFER_BYTES:
            line, rest = data[: BUFFER_BYTES - 1], data[BUFFER_BYTES - 1 :]
        commands.append(words_of(line.decode(errors="replace").split("\0")[0].rstrip("\r")))
        data = rest
    return commands


def header_block(script: str = "call", arguments: Sequence[str] | None = None, **more: str) -> bytes:
    """The block Asterisk sends first, in its order; caller data raw, as Asterisk writes it."""
    facts = {
        "network": "yes",
        "network_script": script,
        "request": f"agi://127.0.0.1/{script}",
        "channel": "PJSIP/trunk-00000001",
        "language": "en",
        "type": "PJSIP",
        "uniqueid": "lab-1795360000.1",
        "version": "22.10.1",
        "callerid": "442079460123",
        "calleridname": "Ada",
        "callingpres": "0",
        "dnid": "5000",
        "rdnis": "unknown",
        "context": "cordboard-call",
        "extension": "loop",
        "priority": "2",
        "enhanced": "0.0",
        "accountcode": "",
        "threadid": "140000000000000",
    } | more
    lines = [f"agi_{name}: {value}" for name, value in facts.items()]
    given = new_call() if arguments is None else arguments
    lines += [f"agi_arg_{number}: {value}" for number, value in enumerate(given, start=1)]
    return ("\n".join(lines) + "\n\n").encode("utf-8", "surrogateescape")


def new_call(
    *,
    call_id: str = "",
    checkpoint: str = "",
    dnis: str = "5000",
    ani: str = "442079460123",
    returned: str = "",
    began: str = "1795362481.123",
    token: str = TOKEN,
    name: str = "Ada",
) -> list[str]:
    """The arguments our dialplan passes."""
    return [call_id, checkpoint, dnis, ani, returned, began, token, name]


class FakeAsterisk:
    """One AGI connection, seen from Asterisk."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.received = b""
        self.variables: dict[str, str] = {}

    @classmethod
    async def connect(cls, port: int, block: bytes | None = None) -> FakeAsterisk:
        """Connect, and say who is calling."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        fake = cls(reader, writer)
        fake.send(header_block() if block is None else block)
        return fake

    async def __aenter__(self) -> FakeAsterisk:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def send(self, data: bytes) -> None:
        """Raw bytes."""
        self._writer.write(data)

    def reply(self, line: str) -> None:
        """One line."""
        self.send(line.encode() + b"\n")

    def hang_up(self) -> None:
        """What AGIEXITONHANGUP=yes does when the caller leaves: two lines and the end."""
        self.send(b"HANGUP\nHANGUP\n")
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._writer.close()

    async def next_command(self) -> list[str]:
        """The words of the next command; [] at the end of the stream."""
        async with asyncio.timeout(DEADLINE_S):
            line = await self._reader.readline()
        self.received += line
        return words_of(line.decode(errors="replace").rstrip("\n")) if line else []

    async def next_verb(self) -> list[str]:
        """The next command that is not `MSet`; those are carried out and answered."""
        while (words := await self.next_command())[:2] == ["EXEC", "MSet"]:
            self._set(words[2])
            self.reply(RAN)
        return words

    async def answer_all(self, answer: Callable[[list[str]], str | None]) -> list[list[str]]:
        """Answer each verb until the other side closes; what was asked. None answers nothing."""
        asked: list[list[str]] = []
        while words := await self.next_verb():
            asked.append(words)
            if (line := answer(words)) is not None:
                self.reply(line)
        return asked

    async def wait_closed(self) -> bytes:
        """Whatever still comes until the other side closes."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                rest = await self._reader.read()
            except ConnectionError:
                rest = b""
        self.received += rest
        return rest

    def _set(self, pairs: str) -> None:
        for pair in pairs.split(","):
            name, _, value = pair.partition("=")
            self.variables[name] = value
