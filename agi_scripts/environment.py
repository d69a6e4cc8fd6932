"""The block of facts Asterisk sends first on an AGI connection. Pure; fed by the link.

Lines `agi_name: value` up to an empty line. Asterisk writes values raw, and a caller chooses some of them (name,
number), so a value with line breaks could forge lines and even the end of the block. Therefore:

- our dialplan takes line breaks out of those values, and passes all caller data as arguments which it has filtered
  or percent-encoded itself;
- Asterisk writes the channel's own facts before the caller's and the arguments after them: of the facts the first
  line counts, of the arguments the last;
- one of the last arguments is a token which only the dialplan knows: without it the block is no arrival of ours, or
  its end was forged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote

from cordboard.errors import SwitchProtocolError

BLOCK_MAX_BYTES = 64 * 1024
LINE_MAX_BYTES = 8 * 1024
LINES_MAX = 200
ARGUMENTS_MAX = 20

_FACTS = frozenset({"agi_network_script", "agi_channel", "agi_language", "agi_uniqueid"})


@dataclass(frozen=True, slots=True)
class Environment:
    """What we use of the block. arguments: in order, as the dialplan wrote them."""

    script: str
    channel: str
    language: str
    unique_id: str
    arguments: tuple[str, ...] = field(repr=False)


class EnvironmentParser:
    """Collects the block, however the chunks are cut."""

    __slots__ = ("_buffer", "_searched")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> tuple[Environment, bytes] | None:
        """The environment and the bytes behind it, or None while its end is missing. Raises SwitchProtocolError."""
        self._buffer += data
        end = self._buffer.find(b"\n\n", self._searched)
        if end > BLOCK_MAX_BYTES or (end < 0 and len(self._buffer) > BLOCK_MAX_BYTES):
            raise SwitchProtocolError("an AGI header block that is too long")
        if end < 0:
            self._searched = max(0, len(self._buffer) - 1)
            return None
        return parse_block(bytes(self._buffer[:end])), bytes(self._buffer[end + 2 :])


def parse_block(block: bytes) -> Environment:
    """The environment in a whole block (without its empty line)."""
    lines = block.split(b"\n")
    if len(lines) > LINES_MAX:
        raise SwitchProtocolError("too many AGI header lines")
    facts: dict[str, str] = {}
    arguments: dict[int, str] = {}
    for line in lines:
        _take(line, facts, arguments)
    return Environment(
        script=facts.get("agi_network_script", ""),
        channel=facts.get("agi_channel", ""),
        language=facts.get("agi_language", ""),
        unique_id=facts.get("agi_uniqueid", ""),
        arguments=_in_order(arguments),
    )


def _take(line: bytes, facts: dict[str, str], arguments: dict[int, str]) -> None:
    if len(line) > LINE_MAX_BYTES:
        raise SwitchProtocolError("an AGI header line that is too long")
    name, separator, value = line.decode(errors="replace").rstrip("\r").partition(": ")
    if not name.startswith("agi_"):
        raise SwitchProtocolError("a line in the AGI header block that is no AGI header")
    if name in _FACTS:
        facts.setdefault(name, value)
        return
    number = name.removeprefix("agi_arg_")
    if separator and len(number) <= 2 and number.isascii() and number.isdecimal():
        arguments[int(number)] = value


def _in_order(arguments: dict[int, str]) -> tuple[str, ...]:
    if len(arguments) > ARGUMENTS_MAX or sorted(arguments) != list(range(1, len(arguments) + 1)):
        raise SwitchProtocolError("AGI arguments that do not count up from 1")
    return tuple([arguments[number] for number in range(1, len(arguments) + 1)])


def decoded(argument: str) -> str:
    """Text that the dialplan percent-encoded, at most cut inside a character, back as text."""
    return unquote(argument, errors="replace")
