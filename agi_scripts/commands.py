"""AGI command lines as bytes. Pure: no socket, no clock. Called by the phone and the verbs' files.

Every value goes through `quoted` or is a number, so nothing that a caller, a CRM or a flow supplied can become
a second argument or a second command. Syntax as parsed by Asterisk's res_agi.c (`parse_args`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cordboard.errors import SwitchProtocolError

LINE_MAX_BYTES = 8000  # Asterisk reads 8,192 bytes at most and would run what is behind them as a command

_UNFIT = re.compile(r"[\r\n\0]")
_UNFIT_IN_MSET = re.compile(r"""[\r\n\0,"\\()\[\]{}|$']""")  # it splits at commas, strips quotes


def quoted(value: str) -> str:
    """One AGI argument. Raises SwitchProtocolError on CR, LF or NUL, which no quoting can carry."""
    if _UNFIT.search(value):
        raise SwitchProtocolError("a line break or NUL in an AGI argument")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _line(text: str) -> bytes:
    try:
        line = text.encode()
    except UnicodeEncodeError as error:
        raise SwitchProtocolError("an AGI argument that is no Unicode text") from error
    if len(line) >= LINE_MAX_BYTES:
        raise SwitchProtocolError(f"an AGI line of {len(line)} bytes; {LINE_MAX_BYTES} is the limit")
    return line + b"\n"


def answer() -> bytes:
    """Pick up."""
    return b"ANSWER\n"


def channel_status() -> bytes:
    """Ask whether the channel lives."""
    return b"CHANNEL STATUS\n"


def stream_file(path: str, keys: str = "") -> bytes:
    """Play a file (no extension); one of `keys` stops it."""
    return _line(f"STREAM FILE {quoted(path)} {quoted(keys)}")


def get_option(path: str, keys: str, wait_ms: int) -> bytes:
    """Play a file, then wait for a key: one verb, so no key is lost between the two."""
    return _line(f"GET OPTION {quoted(path)} {quoted(keys)} {max(1, wait_ms):d}")


def wait_for_digit(wait_ms: int) -> bytes:
    """Wait for a key, at least 1 ms (-1 would wait for ever)."""
    return _line(f"WAIT FOR DIGIT {max(1, wait_ms):d}")


def say_number(number: int, keys: str = "", gender: str = "") -> bytes:
    """Speak a whole number in the channel's language; one of `keys` stops it. gender: "m", "f"; "" for none."""
    return _line(f"SAY NUMBER {number:d} {quoted(keys)}" + (f" {quoted(gender)}" if gender else ""))


def say_digits(digits: str, keys: str = "") -> bytes:
    """Speak keys one by one."""
    return _line(f"SAY DIGITS {quoted(digits)} {quoted(keys)}")


def say_alpha(text: str, keys: str = "") -> bytes:
    """Speak letters, digits and signs one by one."""
    return _line(f"SAY ALPHA {quoted(text)} {quoted(keys)}")


def say_datetime(epoch_s: int, layout: str, zone: str, keys: str = "") -> bytes:
    """Speak a moment. layout: Asterisk's letters ("ABdY"); zone: IANA name, known to Asterisk's machine."""
    return _line(f"SAY DATETIME {epoch_s:d} {quoted(keys)} {quoted(layout)} {quoted(zone)}")


def record_file(path: str, end_key: str, max_ms: int, silence_s: int, beep: bool) -> bytes:
    """Record into path.wav. silence_s: whole seconds, the only unit the verb knows."""
    beep_word = "BEEP " if beep else ""
    return _line(
        f"RECORD FILE {quoted(path)} wav {quoted(end_key)} {max_ms:d} 0 {beep_word}s={max(1, silence_s):d}"
    )


def set_music_on(music_class: str) -> bytes:
    """Play music from now on, until something else is played. Answered at once."""
    return _line(f"SET MUSIC ON {quoted(music_class)}")


def set_context(context: str) -> bytes:
    """Say in which context of the dialplan the channel is. It goes on there when AGI ends, at the same priority."""
    return _line(f"SET CONTEXT {quoted(context)}")


def set_variable(name: str, value: str) -> bytes:
    """Set one channel variable, or write one function."""
    return _line(f"SET VARIABLE {quoted(name)} {quoted(value)}")


def get_variable(name: str) -> bytes:
    """Ask for a channel variable, or what a function gives."""
    return _line(f"GET VARIABLE {quoted(name)}")


def mix_monitor(path: str) -> bytes:
    """Record both sides of the call behind what the file holds already, from now on. path: with extension, and
    without a character that the dialplan knows.
    """
    return _line(f"EXEC MixMonitor {quoted(path + ',a')}")


def stop_mix_monitor() -> bytes:
    """Record no more. Asterisk closes the file by itself."""
    return b"EXEC StopMixMonitor\n"


def multi_set(values: Mapping[str, str]) -> bytes:
    """Set several variables in one line, all or none of them even if this worker dies meanwhile.

    Values may not hold what MSet itself would interpret: , " ' \\ | $ and brackets.
    """
    if _UNFIT_IN_MSET.search("".join(values.values())):
        raise SwitchProtocolError("a value which MSet would split or strip, or with a line break")
    pairs = ",".join([f"{name}={value}" for name, value in values.items()])
    return _line(f'EXEC MSet "{pairs}"')
