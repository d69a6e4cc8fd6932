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

_FACTS = frozenset({"agi_network_script", "agi_uniqueid", "agi_language"})


@dataclass(frozen=True, slots=True)
class Environment:
    """What we use of the block. arguments: in order, as the dialplan wrote them."""

    script: str
    unique_id: str
    language: str
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
    lines = block.decode(errors="replace").split("\n")
    if len(lines) > LINES_MAX or max(map(len, lines)) > LINE_MAX_BYTES:
        raise SwitchProtocolError("too many AGI header lines, or one that is too long")
    facts: dict[str, str] = {}
    arguments: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name[:4] != "agi_":
            raise SwitchProtocolError("a line in the AGI header block that is no AGI header")
        if name[:8] == "agi_arg_":
            arguments[name] = value
        elif name in _FACTS:
            facts.setdefault(name, value)
    return Environment(
        script=facts.get("agi_network_script", ""),
        unique_id=facts.get("agi_uniqueid", ""),
        language=facts.get("agi_language", ""),
        arguments=_in_order(arguments),
    )


def _in_order(arguments: dict[str, str]) -> tuple[str, ...]:
    names = [f"agi_arg_{number}" for number in range(1, len(arguments) + 1)]
    if len(names) > ARGUMENTS_MAX or not all(name in arguments for name in names):
        raise SwitchProtocolError("AGI arguments that do not count up from 1")
    return tuple([arguments[name] for name in names])


def decoded(argument: str) -> str:
    """Text that the dialplan percent-encoded, at most cut inside a character, back as text."""
    return unquote(argument, errors="replace")
