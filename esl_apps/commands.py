"""Commands of the event socket as bytes. Pure: no socket, no clock. Called by sessions, the link and their users.

A command is lines and an empty line, so CR, LF and NUL are refused everywhere: a value with an empty line in it
would be a second command. Two more dangers are FreeSWITCH's own:

  `${...}`   is expanded in the argument of every application, and calls the whole API (`${system(...)}`). It is
             refused, except where the caller says that the argument is a constant of ours. What comes from outside
             goes into a channel variable (`multi_set`), never into an argument.
  escapes    lists of variables are split at `;` or `,` and strip quotes and backslashes; blanks end a word of an
             API command. Each has an encoder here which refuses what it cannot carry.

Syntax as parsed by FreeSWITCH 1.11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cordboard.errors import SwitchProtocolError

LINE_MAX_BYTES = 8000
SET_MAX = 60  # FreeSWITCH takes 64 in one command and drops what is over

_UNFIT = re.compile(r"[\r\n\0]")
_EXPANDED = re.compile(r"\$\\*\{")  # FreeSWITCH takes backslashes in between for nothing
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_WORD = re.compile(r"[^\s\\'\"]+")
_EVENT = re.compile(r"[A-Z][A-Z_]{0,63}( [A-Za-z0-9_:.-]{1,64})?")
_IN_DIAL_STRING = re.compile(r"[\w .:/@+~*#?&!%\x80-\U0010ffff-]*")  # no meaning to its four parsers

CONNECT = b"connect\n\n"
EXIT = b"exit\n\n"
DEAF = b"noevents\n\n"  # no more events


def checked(text: str) -> str:
    """Text that can be part of one line. Raises SwitchProtocolError on CR, LF, NUL, no Unicode, or too much."""
    if _UNFIT.search(text):
        raise SwitchProtocolError("a line break or NUL in an event socket command")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise SwitchProtocolError("an event socket command that is no Unicode text") from error
    if size > LINE_MAX_BYTES:
        raise SwitchProtocolError(f"an event socket line of {size} bytes; {LINE_MAX_BYTES} is the limit")
    return text


def refuse_expansion(text: str) -> str:
    """The text, if FreeSWITCH would expand nothing in it. Raises SwitchProtocolError."""
    if _EXPANDED.search(text):
        raise SwitchProtocolError("${ in a value: FreeSWITCH would expand it")
    return text


def _command(*lines: str) -> bytes:
    return "\n".join([*map(checked, lines), "", ""]).encode()


def auth(secret: str) -> bytes:
    """Log in."""
    return _command(f"auth {secret}")


def linger(seconds: int) -> bytes:
    """Keep the socket open for so long after the call has ended, so that its last events come."""
    return _command(f"linger {seconds:d}")


def listen(names: Iterable[str]) -> bytes:
    """Ask for events by name. A CUSTOM event is named with its subclass: "CUSTOM sofia::register"."""
    wanted = list(names)
    for name in wanted:
        if _EVENT.fullmatch(name) is None:
            raise SwitchProtocolError("a name that no event has")
    plain = [name for name in wanted if " " not in name]
    custom = [name.partition(" ")[2] for name in wanted if " " in name]
    words = [*plain, *(["CUSTOM", *custom] if custom else [])]  # every word behind CUSTOM is a subclass
    return _command(" ".join(["event plain", *words]))


def only(header: str, value: str) -> bytes:
    """Of the events asked for send those with this value; several such filters widen it again."""
    return _command(f"filter {word(header)} {word(value)}")


def word(text: str) -> str:
    """One word of an API command. Raises SwitchProtocolError if it would be none, or more than one."""
    if _WORD.fullmatch(text) is None:
        raise SwitchProtocolError("a blank, quote or backslash in a word of an API command")
    return refuse_expansion(checked(text))


def api_words(*words: str) -> str:
    """An API command of words, for `api` and `bgapi`."""
    return " ".join(map(word, words))


def api(command: str) -> bytes:
    """An API command whose answer comes as the reply."""
    return _command(f"api {refuse_expansion(command)}")


def background(command: str, job_id: str) -> bytes:
    """An API command whose answer comes as an event with this id."""
    return _command(f"bgapi {refuse_expansion(command)}", f"Job-UUID: {word(job_id)}")


def execute(application: str, argument: str, event_uuid: str, *, expands: bool = False) -> bytes:
    """Run an application on the channel; its completion carries `event_uuid`.

    expands: the argument is a constant of ours that refers to channel variables on purpose.
    """
    if _NAME.fullmatch(application) is None:
        raise SwitchProtocolError("a name that no application has")
    if not expands:
        refuse_expansion(argument)
    lines = ["sendmsg", "call-command: execute", f"execute-app-name: {application}", f"Event-UUID: {event_uuid}"]
    if argument:
        lines.append(f"execute-app-arg: {argument}")
    return _command(*lines)


def multi_set(leg_id: str, values: Mapping[str, str]) -> str:
    """The API command which sets variables of a channel, all or none; "" unsets.

    It runs beside whatever the channel does. FreeSWITCH gives a value with a percent code in it back as if it had
    been encoded, so values should hold no percent signs.
    """
    if not 0 < len(values) <= SET_MAX:
        raise SwitchProtocolError(f"{len(values)} variables at once; 1 to {SET_MAX} can be set")
    pairs = [f"{_name(name)}={_in_list(value)}" for name, value in values.items()]
    return f"uuid_setvar_multi {word(leg_id)} {';'.join(pairs)}"


def _name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise SwitchProtocolError("a name that no channel variable has")
    return name


def _in_list(value: str) -> str:
    escaped = refuse_expansion(checked(value)).replace("\\", "\\\\").replace("'", "\\'").replace(";", "\\;")
    blanks = len(escaped) - len(escaped.rstrip(" "))
    return escaped.rstrip(" ") + "\\s" * blanks


def variables(values: Mapping[str, str]) -> str:
    """`{a=1,b=2}`: variables for all legs of a dial string, before it; "" for none.

    A dial string is parsed four times over with four ideas of quotes, so values hold letters, digits, blanks and
    `.:/@+~*#?&!%-_` or are refused. Anything else is set on the channel when it is there.
    """
    return _bracketed("{", values, "}")


def leg_variables(values: Mapping[str, str]) -> str:
    """`[a=1,b=2]`: variables for one leg of a dial string, before it; "" for none."""
    return _bracketed("[", values, "]")


def _bracketed(opening: str, values: Mapping[str, str], closing: str) -> str:
    if not values:
        return ""
    return (
        opening + ",".join([f"{_name(name)}={_in_dial_string(value)}" for name, value in values.items()]) + closing
    )


def _in_dial_string(value: str) -> str:
    if _IN_DIAL_STRING.fullmatch(checked(value)) is None:
        raise SwitchProtocolError("a character in a dial string's variable which FreeSWITCH would interpret")
    return value.replace(" ", "\\s")


def refusal(answer: str) -> str | None:
    """Why a command was refused, e.g. "USER_BUSY" of "-ERR USER_BUSY"; None if it was not."""
    for mark in ("-ERR", "-USAGE:"):
        if answer.startswith(mark):
            return answer.removeprefix(mark).strip()
    return None
