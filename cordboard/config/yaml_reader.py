"""Reads the YAML files admins write, safely and without YAML's surprises.

Called by the loaders of settings, flows and scenarios. Six guards: at most 1 MiB; depth, aliases and expanded
values limited before anything is built (`tree`); no tags, no merge keys, one document; only `true`/`false`,
`null`, decimal integers and decimals are not text, and keys always are (`scalars`); a key written twice is a
fault; everything keeps its line and column (`document`). What the values mean is for `validation`.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from cordboard.config.document import Document, Mark
from cordboard.config.findings import Finding
from cordboard.config.tree import TreeBuilder
from cordboard.errors import ConfigurationError

__all__ = ["MAX_BYTES", "Document", "parse_yaml", "read_yaml"]

MAX_BYTES = 1 << 20  # a flow of 3,000 nodes has about 300 kB

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_SAVE_AS_UTF8 = "save the file as UTF-8 without a byte order mark"
# What YAML 1.1 does not call printable; libyaml would refuse it too, with a byte offset instead of a place.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")


def read_yaml(path: Path, shown_as: str | None = None) -> Document:
    """The document in a file. Raises ConfigurationError if it cannot be read or is no YAML.

    shown_as: the file's name in findings, if not the path as given.
    """
    file = shown_as or str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _refusal(file, (1, 1), "unreadable-file", f"cannot read the file: {error.strerror}") from error
    return parse_yaml(data, file)


def parse_yaml(data: bytes, file: str) -> Document:
    """The document in `data`. Raises ConfigurationError: the one fault that stops reading, or all duplicate keys.

    file: the name shown in findings.
    """
    if len(data) > MAX_BYTES:
        message = f"the file has more than {MAX_BYTES} bytes"
        raise _refusal(file, (1, 1), "too-big", message, "split it into several files")
    text = _decode(data, file)
    builder = TreeBuilder(file)
    try:
        with _collector_paused():
            root = builder.build(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        raise _explain(error, text, file) from error
    if builder.findings:
        raise ConfigurationError(sorted(builder.findings))
    return Document(file, root, text)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A tree of tens of thousands of items has no cycles, and looking for them takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _decode(data: bytes, file: str) -> str:
    if data.startswith(_BOMS):
        raise _refusal(file, (1, 1), "byte-order-mark", "the file begins with a byte order mark", _SAVE_AS_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        mark = _mark_at(data[: error.start].decode("utf-8", "replace"))
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise _refusal(file, mark, "not-utf-8", message, _SAVE_AS_UTF8) from error
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        mark = _mark_at(text[: unprintable.start()])
        message = f"a control character (U+{ord(unprintable.group()):04X})"
        raise _refusal(file, mark, "control-character", message, "remove it, or write it as an escape in quotes")
    return text


def _mark_at(before: str) -> Mark:
    """The place behind `before`."""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _refusal(file: str, mark: Mark, code: str, message: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError([Finding(file, *mark, code, message, hint)])


# libyaml's words -> (whether to point at where the broken thing began, our words, what to do)
_SYNTAX: dict[str, tuple[bool, str, str]] = {
    "mapping values are not allowed in this context": (
        False,
        "a `: ` where none can be",
        "indent like the line above, or quote the text if the colon belongs to it",
    ),
    "could not find expected ':'": (True, "no `:` behind this key", "write `key: value`"),
    "did not find expected alphabetic or numeric character": (
        True,
        "an unquoted `*` or `&` begins an alias or anchor",
        'in quotes it is text: "*"',
    ),
    "found unexpected end of stream": (True, "a quote that is never closed", "close it on the same line"),
    "did not find expected ',' or '}'": (True, "a `{` that is not closed, or a comma missing in it", ""),
    "did not find expected ',' or ']'": (True, "a `[` that is not closed, or a comma missing in it", ""),
    "did not find expected key": (False, "this line belongs to nothing", "indent it like its neighbours"),
    "did not find expected '-' indicator": (False, "this line is no item of the list", "begin it with `- `"),
    "did not find expected node content": (False, "a value is missing here", ""),
    "block sequence entries are not allowed in this context": (
        False,
        "a list cannot begin here",
        "begin it on a line of its own, or write [a, b]",
    ),
}
_TAB = ("a tab", "indent with spaces")
_RESERVED = ("a text cannot begin with this character", "put the text in quotes")


def _explain(error: yaml.MarkedYAMLError, text: str, file: str) -> ConfigurationError:
    """The parser's complaint in plain words, at the place an editor should jump to."""
    problem = error.problem or "no YAML"
    mark = error.problem_mark or error.context_mark
    if problem == "found character that cannot start any token":
        message, hint = _TAB if _character_at(mark, text) == "\t" else _RESERVED
    else:
        at_start, message, hint = _SYNTAX.get(problem, (False, problem, ""))
        mark = error.context_mark if at_start and error.context_mark else mark
    place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return _refusal(file, place, "syntax", message, hint)


def _character_at(mark: yaml.Mark | None, text: str) -> str:
    if mark is None:
        return ""
    line = text.splitlines()[mark.line]
    return line[mark.column : mark.column + 1]
