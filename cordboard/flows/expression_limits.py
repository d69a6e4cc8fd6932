"""What an expression may cost, judged before any call: loops, regular expressions, time zones, texts that grow.

Used by `conditions` on every expression that CEL has taken. Without loops the work is the expression's length times
that of the values in it, with two exceptions, which are bounded here: a regular expression may stand for a program
of any size, and a text may be put together of many. A time zone is read from a file, so nobody but the admin names
one. Pure, but for the list of time zones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from cordboard.flows.regex_size import regex_size

MAX_PLUSES = 20  # texts put together; sums of more than that are not written by hand
MAX_REGEX_SIZE = 2_000  # of all regular expressions, times the texts that they may be matched with

_LOOPS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_PARTS_OF_TIME = frozenset(
    ["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours",
     "getMinutes", "getSeconds", "getMilliseconds"]
)  # fmt: skip
_OFFSET = re.compile(r"[+-]?\d\d:\d\d")

# The language's own tokens: nothing that it takes for code may look like a text here, or the other way round.
_TOKEN = re.compile(
    r"""
      //[^\r\n]*
    | (?P<text> [bB]? (?: [rR] (?: \"{3}.*?\"{3} | '{3}.*?'{3} | "[^"\r\n]*" | '[^'\r\n]*' )
                        | \"{3} (?:[^\\]|\\.)*? \"{3} | '{3} (?:[^\\]|\\.)*? '{3}
                        | "(?:[^"\\\r\n]|\\.)*" | '(?:[^'\\\r\n]|\\.)*' ) )
    | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
    | (?P<sign> \S )
    """,
    re.VERBOSE | re.DOTALL,
)

Value = Callable[[str], object]
"""What a text of the expression stands for: "a" for `'a'`, without its quotes and escapes."""


class TooCostly(Exception):
    """An expression that may cost too much. offset: where, in the text."""

    def __init__(self, code: str, message: str, hint: str, offset: int) -> None:
        self.code, self.message, self.hint, self.offset = code, message, hint, offset
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    offset: int
    is_text: bool


def check_limits(expression: str, value: Value) -> Iterator[str]:
    """The regular expressions in it, which are still to be tried. Raises TooCostly.

    expression: one that CEL has taken; value: works out a text in quotes.
    """
    tokens = list(_tokens(expression))
    pluses = [token for token in tokens if token.text == "+"]
    if len(pluses) > MAX_PLUSES:
        hint = "work it out in steps, with `set`"
        raise TooCostly("expression-too-large", f"more than {MAX_PLUSES} times +", hint, pluses[-1].offset)
    size = 0
    for number, token in enumerate(tokens):
        arguments = _last_argument(tokens, number)
        if arguments is None:
            continue
        if token.text == "matches":
            pattern = _literal(token, arguments, value, "regex-not-literal", "a regular expression", "'^[0-9]{6}$'")
            size += regex_size(pattern)
            if size * (1 + len(pluses)) > MAX_REGEX_SIZE:
                hint = "repeat less: {2,30} instead of {2,1000}"
                raise TooCostly("regex-too-large", "this stands for too large a pattern", hint, token.offset)
            yield pattern
        elif token.text in _PARTS_OF_TIME and arguments:
            _check_zone(_literal(token, arguments, value, "bad-zone", "a time zone", "'Europe/London'"), token)


def loop_in(expression: str) -> str:
    """The first loop that an expression asks for, "exists"; "" for none."""
    tokens = list(_tokens(expression))
    calls = (token.text for number, token in enumerate(tokens) if _last_argument(tokens, number) is not None)
    return next((name for name in calls if name in _LOOPS), "")


def _tokens(expression: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(expression):
        if found.lastgroup is not None:
            yield _Token(found[0], found.start(), found.lastgroup == "text")


def _last_argument(tokens: Sequence[_Token], number: int) -> list[_Token] | None:
    """The last argument of the call that begins with this token; empty without one, None if no call begins here."""
    is_call = number + 1 < len(tokens) and tokens[number + 1].text == "("
    if tokens[number].is_text or not is_call:
        return None
    depth, argument = 0, list[_Token]()
    for token in tokens[number + 1 :]:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.text, 0)
        if depth == 0:
            break
        if depth == 1 and token.text == ",":
            argument = []
        elif depth > 1 or token.text != "(":
            argument.append(token)
    return argument


def _literal(call: _Token, argument: Sequence[_Token], value: Value, code: str, what: str, example: str) -> str:
    """The text that an argument is, in quotes."""
    found = value(argument[0].text) if len(argument) == 1 and argument[0].is_text else None
    if not isinstance(found, str):
        raise TooCostly(code, f"{what} is written out here, in quotes", f"for instance {example}", call.offset)
    return found


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # read from a directory, which takes 10 ms


def _check_zone(name: str, call: _Token) -> None:
    if name not in _zones() and not _OFFSET.fullmatch(name):
        raise TooCostly(
            "bad-zone", f"there is no time zone `{name}`", "write for instance Europe/London", call.offset
        )
