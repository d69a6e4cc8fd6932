"""What an `http` node asks, with the values of a call in it: a path, a query, a JSON body.

Used by `nodes.http`. Values are data wherever they go: percent-encoded in a path, JSON in a body. A value that
would make another path of it all the same (an empty one, `..`) is refused, and the request is not sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from pydantic import JsonValue

from cordboard.config.scalars import WrittenDecimal, as_written
from cordboard.config.validation import fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression, Kind, Value

BODY_MAX_BYTES = 16 * 1024
BODY_MAX_VALUES = 200

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
_PLAIN_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_KINDS: tuple[Kind, ...] = ("string", "int", "double", "bool")
_DOTS = frozenset({".", ".."})


class UnfitValue(Exception):
    """A value of the call that the request cannot take. The words hold no value."""


def check_path(text: str) -> str:
    """A path as an admin writes it: "/orders/{order_no}". Raises the fault of one that is none."""
    for name in _PLACEHOLDER.findall(text):
        if not _NAME.fullmatch(name):
            raise fault("bad-path", f"`{{{name}}}` names no variable", "write for instance {order_no}")
    plain = _PLACEHOLDER.sub("x", text)
    if "?" in plain or "#" in plain:
        raise fault("bad-path", "no ? or # belongs into a path", "write what is behind it as `query:`")
    if not _PLAIN_PATH.fullmatch(plain):
        raise fault("bad-path", f"`{text}` is no path", "write for instance /orders/{order_no}")
    if "//" in plain or not _DOTS.isdisjoint(plain.split("/")):
        raise fault("bad-path", "a path has neither // nor . and .. in it", "write it out")
    return text


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path. parts: texts as they are, and what stands in between."""

    parts: tuple[str | Expression, ...]

    def filled(self, facts: Mapping[str, Any]) -> str:
        """The path, percent-encoded. Raises UnfitValue, and ExpressionFailed for a variable without a value."""
        path = "".join(
            part if isinstance(part, str) else _encoded(as_text(part.evaluate(facts))) for part in self.parts
        )
        if not _DOTS.isdisjoint(path.split("/")):
            raise UnfitValue("a value would lead to another path")
        return path


def compile_path(compiler: NodeCompiler, text: str, key: str) -> PathTemplate:
    """The path of a node's key."""
    return PathTemplate(tuple(_parts(compiler, text, key)))


def _parts(compiler: NodeCompiler, text: str, key: str) -> Iterator[str | Expression]:
    done = 0
    for found in _PLACEHOLDER.finditer(text):
        yield text[done : found.start()]
        yield _placeholder(compiler, found[1], found.start(1), key)
        done = found.end()
    yield text[done:]


def _placeholder(compiler: NodeCompiler, name: str, offset: int, key: str) -> Expression:
    """A variable in a path, as an expression. The blanks before it bring a finding to its very character."""
    if name in compiler.names.secrets:
        return Expression(compiler.variable(name, key), "string", None)
    return replace(compiler.expression(" " * offset + name, key, kinds=_KINDS), text=name)


def _encoded(text: str) -> str:
    """A value as one piece of a path. Some servers take an encoded slash for a slash: dots between them count."""
    if not text or not _DOTS.isdisjoint(re.split(r"[/\\]", text)):
        raise UnfitValue("a value would lead to another path")
    return quote(text, safe="", errors="replace")


def as_text(value: Value) -> str:
    """A value as it stands in an address."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def compile_json(compiler: NodeCompiler, written: JsonValue, *keys: str | int) -> Any:
    """A body with each `{cel: ...}` in it compiled; everything else stays as it is."""
    match written:
        case {"cel": formula, **others} if not others:
            return compiler.expression(str(as_written(formula)), *keys, "cel", kinds=_KINDS)
        case dict():
            return {name: compile_json(compiler, inner, *keys, name) for name, inner in written.items()}
        case list():
            return [compile_json(compiler, inner, *keys, number) for number, inner in enumerate(written)]
        case WrittenDecimal():
            return float(written)
    return written


def fill_json(template: Any, facts: Mapping[str, Any]) -> str:
    """A compiled body as JSON text. Raises UnfitValue, ExpressionFailed."""
    body = json.dumps(_filled(template, facts), separators=(",", ":"))
    if len(body) > BODY_MAX_BYTES:
        raise UnfitValue(f"the body has more than {BODY_MAX_BYTES} bytes")
    return body


def _filled(template: Any, facts: Mapping[str, Any]) -> Any:
    match template:
        case Expression():
            return template.evaluate(facts)
        case dict():
            return {name: _filled(inner, facts) for name, inner in template.items()}
        case list():
            return [_filled(inner, facts) for inner in template]
    return template


def count_values(written: JsonValue) -> int:
    """How many values a body holds, those that hold others included."""
    match written:
        case {"cel": _, **others} if not others:
            return 1
        case dict():
            return 1 + sum(map(count_values, written.values()))
        case list():
            return 1 + sum(map(count_values, written))
    return 1
