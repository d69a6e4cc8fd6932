"""Expressions in flows: CEL, compiled and type-checked when the flow loads, evaluated in microseconds in a call.

The only file which knows the CEL library. CEL reaches no Python object, its regular expressions are RE2's, which
are linear, and its loops (`exists`, `map`) are left out: a flow has no lists to go through, and a chain of them
doubles a text with every ten characters. What is left is bounded by `expression_limits` when the flow loads. The
loader makes a `Scope` from the flow's variables and compiles every expression in it; nodes evaluate them. Secret
values never enter CEL: `size(pin)` is all a flow may ask about one, and only the number of digits is handed over
for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cel_expr_python import cel

from cordboard.config.validation import closest
from cordboard.flows.expression_hints import syntax_hint
from cordboard.flows.expression_limits import TooCostly, check_limits, loop_in
from cordboard.telephony.call import Call

Value = str | int | float | bool
Kind = Literal["string", "int", "double", "bool", "timestamp"]

MAX_CHARACTERS = 500
MAX_RESULT_CHARACTERS = 1_000  # a text that doubles itself on each round of a loop stops here

CALL_FIELDS = ("call.ani", "call.dnis", "call.language", "call.caller_name")
# What the language uses itself, or the flow sees as something else.
RESERVED_NAMES = frozenset(
    ["call", "customer", "now", "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for",
     "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while", "int",
     "uint", "double", "bool", "string", "bytes", "list", "map", "type", "timestamp", "duration", "dyn", "size",
     "has", "all", "exists", "exists_one", "filter"]
)  # fmt: skip

_TYPES: dict[Kind, Any] = {
    "string": cel.Type.STRING,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "bool": cel.Type.BOOL,
    "timestamp": cel.Type.TIMESTAMP,
}
_KINDS: dict[str, Kind] = {kind.name(): name for name, kind in _TYPES.items()}
_WORDS: dict[str, str] = {
    "string": "text",
    "int": "a whole number",
    "double": "a decimal number",
    "bool": "true or false",
    "timestamp": "a moment",
}


_WITHOUT_LOOPS = cel.NewEnvConfigFromYaml("stdlib: {disable_macros: true}")
_PLAIN = cel.NewEnv(config=_WITHOUT_LOOPS)


ECHO = "echo"
"""Instead of a finding's code: this only follows from something that is reported elsewhere, and is not shown."""


class ExpressionRefused(Exception):
    """An expression that cannot be compiled. line, column: within its text, from 1; unknown: the name that was."""

    def __init__(
        self, code: str, message: str, hint: str = "", line: int = 1, column: int = 1, unknown: str = ""
    ) -> None:
        self.code, self.message, self.hint = code, message, hint
        self.line, self.column = line, column
        self.unknown = unknown
        super().__init__(message)


class ExpressionFailed(Exception):
    """An expression that gave no value in a call: a text that is no number, a variable not set yet."""


def words_for_kind(kind: str) -> str:
    """A type's name for an admin: "a whole number" for "int"."""
    return _WORDS.get(kind, kind)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. kind: the type of its result, known before any call."""

    text: str
    kind: Kind
    _program: Any = field(repr=False, compare=False)

    def evaluate(self, facts: Mapping[str, Any]) -> Any:
        """The value: str, int, float, bool, or an aware datetime, as `kind` says. facts: see `facts_of`.

        Raises ExpressionFailed, with words that hold no value of the call.
        """
        if self._program is None:  # of an older revision, whose customer fields or the like are not there any more
            raise ExpressionFailed(f"`{self.text}` cannot be worked out any more")
        try:
            result = self._program.eval(data=facts)
        except RuntimeError as error:  # the budget of iterations is spent
            raise ExpressionFailed(f"`{self.text}`: {_first_line(str(error))}") from error
        value = result.value()
        if isinstance(value, bool):
            return value
        if result.type() == cel.Type.ERROR:
            raise ExpressionFailed(f"`{self.text}`: {_without_values(str(value))}")
        if isinstance(value, str) and len(value) > MAX_RESULT_CHARACTERS:
            raise ExpressionFailed(f"`{self.text}`: a text of more than {MAX_RESULT_CHARACTERS} characters")
        if isinstance(value, float) and not math.isfinite(value):
            raise ExpressionFailed(f"`{self.text}`: no finite number")
        return value


def facts_of(
    call: Call, language: str, variables: Mapping[str, Value], secret_sizes: Mapping[str, int], now: datetime
) -> dict[str, Any]:
    """What the expressions of a flow can see at one moment of a call. now: aware."""
    facts: dict[str, Any] = {
        "call.ani": call.ani,
        "call.dnis": call.dnis,
        "call.caller_name": call.caller_name,
        "call.language": language,
        "now": now,
    }
    facts.update(variables)
    for name, size in secret_sizes.items():
        facts[_size_of(name)] = size
    return facts


class Scope:
    """What the expressions of one flow may name, with types.

    unclear: variables that there are, but whose types cannot be told: what names them is refused with ECHO.
    """

    def __init__(
        self,
        variables: Mapping[str, Kind],
        secrets: frozenset[str] = frozenset(),
        unclear: frozenset[str] = frozenset(),
    ) -> None:
        self.unclear = unclear
        self._names = [*variables, *CALL_FIELDS, "now"]
        self._secrets = secrets
        types: dict[str, Any] = {name: _TYPES[kind] for name, kind in variables.items()}
        types |= dict.fromkeys(CALL_FIELDS, cel.Type.STRING)
        types |= {_size_of(name): cel.Type.INT for name in secrets}
        self._env = cel.NewEnv(config=_WITHOUT_LOOPS, variables=types | {"now": cel.Type.TIMESTAMP})

    def compile(self, text: str) -> Expression:
        """The expression, with the type of its result. Raises ExpressionRefused."""
        if len(text) > MAX_CHARACTERS:
            raise ExpressionRefused("expression-too-long", f"more than {MAX_CHARACTERS} characters")
        try:
            program = self._env.compile(_with_secret_sizes(text, self._secrets))
        except RuntimeError as error:
            raise self._explain(text, str(error)) from error
        except TypeError as error:  # half a character, which no UTF-8 has
            raise ExpressionRefused("expression-syntax", "a character in it is none") from error
        kind = _KINDS.get(program.return_type().name())
        if kind is None:
            message = f"this gives {program.return_type().name().lower()}, which a flow cannot keep or compare"
            raise ExpressionRefused("expression-type", message, "use string(), int(), double() or a comparison")
        _check_cost(text)
        return Expression(text, kind, program)

    def _explain(self, text: str, complaint: str) -> ExpressionRefused:
        """The library's first complaint in plain words. It looks like `ERROR: <input>:1:8: message`."""
        found = re.search(r"<input>:(\d+):(\d+): (.*)", complaint)
        if not found:
            return ExpressionRefused("expression-syntax", _first_line(complaint), "make it shorter and flatter")
        line, column, problem = int(found[1]), int(found[2]), found[3]
        undeclared = re.match(r"undeclared reference to '([^']+)'", problem)
        if undeclared and (loop := loop_in(text)):
            hint = "write for instance `count in [1, 2, 3]`, or two conditions with && or ||"
            return ExpressionRefused("expression-loop", f"there are no loops here: `{loop}`", hint, line)
        if undeclared:
            column = _start_of(undeclared[1], text, line, column)
            kind = "function" if _character_at(text, line, column + len(undeclared[1])) == "(" else "variable"
            code, message, hint = self._unknown_name(undeclared[1], kind)
            if hint.startswith("known here") and text.strip() != undeclared[1]:
                hint = f"if it is text, write '{undeclared[1]}' in quotes; {hint}"
            return ExpressionRefused(code, message, hint, line=line, column=column, unknown=undeclared[1])
        code, message, hint = _words_for(problem)
        if code == "expression-syntax":
            hint = syntax_hint(text)
        return ExpressionRefused(code, message, hint, line, column)

    def _unknown_name(self, name: str, kind: str) -> tuple[str, str, str]:
        if name in self._secrets:
            hint = f"only size({name}), the number of its digits, can be used"
            return "secret-in-expression", f"`{name}` is secret and stays out of expressions", hint
        if kind == "function":
            return "unknown-function", f"unknown function `{name}`", ""
        if name in self.unclear:
            return ECHO, f"the type of `{name}` cannot be told", ""
        hint = closest(name, self._names) or f"known here: {', '.join(sorted(self._names))}"
        return "unknown-variable", f"unknown variable `{name}`", hint


def _check_cost(text: str) -> None:
    """Raises ExpressionRefused for what may cost too much in a call, and for a regular expression that is none."""
    try:
        for pattern in check_limits(text, _value_of):
            complaint = _PLAIN.compile(f"''.matches({_quoted(pattern)})").eval(data={})
            if complaint.type() == cel.Type.ERROR:
                problem = str(complaint.value()).rpartition("regular expression: ")[2]
                raise ExpressionRefused("bad-regex", f"this is no regular expression: {_first_line(problem)}")
    except TooCostly as costly:
        before = text[: costly.offset]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise ExpressionRefused(costly.code, costly.message, costly.hint, line, column) from costly


def _value_of(literal: str) -> object:
    return _PLAIN.compile(literal).eval(data={}).value()


def _quoted(text: str) -> str:
    """A text as the language writes it."""
    return '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'


_TEXT_OR_SIZE = re.compile(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|\bsize\(\s*([a-z][a-z0-9_]*)\s*\)""")


def _size_of(name: str) -> str:
    """The hidden variable behind `size(name)` of a secret; no flow can write it, as names begin with a letter."""
    return f"_size{name}"


def _with_secret_sizes(text: str, secrets: frozenset[str]) -> str:
    """`size(pin)` of secrets as their hidden variable, just as long: columns in complaints stay true."""

    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        return _size_of(name).ljust(len(found[0])) if name in secrets else found[0]

    return _TEXT_OR_SIZE.sub(replaced, text) if secrets else text


def _start_of(name: str, text: str, line: int, column: int) -> int:
    """CEL points at the last dot of `call.anii` and at the bracket of `foo(1)`; we want where the name begins."""
    back = {".": len(name.rpartition(".")[0]), "(": len(name)}.get(_character_at(text, line, column), 0)
    return max(1, column - back)


def _character_at(text: str, line: int, column: int) -> str:
    lines = text.splitlines()
    return lines[line - 1][column - 1 : column] if 0 < line <= len(lines) else ""


def _words_for(problem: str) -> tuple[str, str, str]:
    """Code, message and hint for a complaint of CEL's checker or parser."""
    overload = re.match(r"found no matching overload for '([^']+)' applied to '\(?([^)]*)\)?'", problem)
    if overload:
        return _overload_words(overload[1].strip("@_").replace("_", " "), overload[2].split(", "))
    if "select operation" in problem:
        return "expression-type", "nothing can follow a dot here: the value has no parts", ""
    if "<EOF>" in problem and "mismatched" in problem:
        return "expression-syntax", "the expression ends too early", ""
    if stray := re.search(r"token recognition error at: '(.*)'", problem):
        return "expression-syntax", f"`{stray[1].strip()}` has no meaning here", ""
    return "expression-syntax", problem.removeprefix("Syntax error: ").partition(" expecting ")[0], ""


def _overload_words(operation: str, kinds: list[str]) -> tuple[str, str, str]:
    plain = [words_for_kind(kind) for kind in kinds]
    message = f"`{operation}` does not work on {' and '.join(plain)}"
    hint = ""
    if kinds == ["int", "string"]:
        hint = "compare a number with 1 without quotes, and text with '1'; int(...) makes a number of text"
    elif set(kinds) == {"string", "int"}:
        hint = "keys are text: compare with '1' in quotes, or use int(...)"
    elif set(kinds) == {"int", "double"}:
        hint = "write 1.0 instead of 1, or use double(...)"
    return "expression-type", message, hint


def _first_line(complaint: str) -> str:
    return complaint.splitlines()[0].partition(" [")[0] if complaint else "refused"


def _without_values(problem: str) -> str:
    """An error of a running expression, without the quoted values of the call it may hold."""
    return re.sub(r'"[^"]*"', '"..."', problem)
