"""The reference of all node types for `docs/writing_flows.md`, written from the code: each type's own words, its
example and a table of its options.

`python -m cordboard.flows.reference_page` writes the page anew; a test checks that it is current.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from cordboard.config.validation import Section
from cordboard.flows.nodes import NODE_TYPES
from cordboard.flows.options import NodeOptions
from cordboard.flows.schema import FlowFrame

NODES = ("<!-- nodes: written from the code -->", "<!-- end of nodes -->")
FRAME = ("<!-- frame: written from the code -->", "<!-- end of frame -->")
PAGE = Path("docs/writing_flows.md")


def reference() -> str:
    """Every node type, in the order of the alphabet."""
    return "\n".join(_chapter(NODE_TYPES[verb]) for verb in sorted(NODE_TYPES))


def with_reference(page: str) -> str:
    """The page with the parts between its marks written anew. Raises ValueError if they are missing."""
    return _replaced(_replaced(page, FRAME, _table(FlowFrame)), NODES, reference())


def _replaced(page: str, marks: tuple[str, str], text: str) -> str:
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not (begin and end):
        raise ValueError(f"{PAGE} has no `{marks[0]}` and `{marks[1]}`")
    return f"{before}{begin}\n\n{text}\n{end}{after}"


def _chapter(options: type[NodeOptions]) -> str:
    text = (sys.modules[options.__module__].__doc__ or "").strip()
    return "\n".join([f"### `{options.verb}`", "", *_as_markdown(text, options.verb), _table(options)])


def _table(section: type[BaseModel]) -> str:
    rows = [f"| `{name}` | {meaning} | {default} |" for name, meaning, default in _rows(section, "")]
    return "\n".join(["| option | means | default |", "|---|---|---|", *rows, ""])


def _as_markdown(text: str, verb: str) -> Iterator[str]:
    """A docstring as Markdown: its first words become a sentence, indented lines a YAML example."""
    plain = re.sub(rf"^`{re.escape(verb)}`: ", "", text)
    blocks = [block.splitlines() for block in (plain[:1].upper() + plain[1:]).split("\n\n")]
    is_flat = not any(_is_indented(lines) for lines in blocks)  # a formatter has moved a lone example to the left
    for number, lines in enumerate(blocks):
        if _is_indented(lines):
            yield from ("```yaml", *(line[4:] for line in lines), "```", "")
        elif is_flat and number == 1:
            yield from ("```yaml", *lines, "```", "")
        else:
            yield from (*lines, "")


def _is_indented(lines: list[str]) -> bool:
    return all(line.startswith("    ") for line in lines)


def _rows(section: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    """Name, meaning and default of each option; those of a section within it follow as `no_input.tries`."""
    for name, field in section.model_fields.items():
        written = f"{prefix}{field.alias or name}"
        yield written, _cell(field.description or ""), _default(field)
        for inner in _sections_in(field.annotation):
            yield from _rows(inner, f"{written}.")


def _sections_in(kind: Any) -> Iterator[type[Section]]:
    """The sections an option may hold, seen through unions, lists and mappings."""
    if isinstance(kind, type) and issubclass(kind, Section):
        yield kind
    elif get_origin(kind) is Annotated:
        yield from _sections_in(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType, tuple, list, dict):
        for member in get_args(kind):
            if member is not NoneType and _name(member) != "Formula":
                yield from _sections_in(member)


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is PydanticUndefined or value is None or value == () or isinstance(value, Section):
        return ""
    if isinstance(value, tuple):
        value = f"[{', '.join(map(str, value))}]"
    return f"`{str(value).lower() if isinstance(value, bool) else _number(value)}`"


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value) or '""'


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(with_reference(PAGE.read_text("utf-8")), "utf-8")
    sys.stdout.write(f"{PAGE} is current\n")
